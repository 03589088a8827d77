#!/usr/bin/env escript
%% Calls rebar3's own copy of hex_core. Arguments: the API's URL, an API key, and a file of terms
%% `{Module, Function, Arguments}.`, perhaps with a map of further configuration as a fourth element; each is called
%% with the configuration before its arguments. Prints one
%% line of JSON a call: {"status", "headers", "body"} or {"error"}.
%% Among the arguments, {tarball, Metadata, Files} is a package that hex_core builds, {file, Path} its bytes.
-mode(compile).

main([Url, Key, File]) ->
    {ok, _} = application:ensure_all_started(inets),
    {ok, _} = application:ensure_all_started(ssl),
    load_rebar3(),
    Default = r3_hex_core:default_config(),
    Config = Default#{api_url => list_to_binary(Url), api_key => key(Key), http_user_agent_fragment => <<"(test)">>},
    {ok, Calls} = file:consult(File),
    lists:foreach(fun(Call) -> call(Config, Call) end, Calls).

key("") -> undefined;
key(Key) -> list_to_binary(Key).

load_rebar3() ->
    {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
    {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
    [code:load_binary(list_to_atom(filename:basename(Path, ".beam")), Path, Beam)
     || {Path, Beam} <- Files, filename:extension(Path) == ".beam"].

call(Config, {Module, Function, Arguments, More}) ->
    call(maps:merge(Config, More), {Module, Function, Arguments});
call(Config, {Module, Function, Arguments}) ->
    Result = try apply(Module, Function, [Config | [argument(A) || A <- Arguments]])
             catch Class:Reason -> {error, {Class, Reason}} end,
    io:format("~ts~n", [json(result(Result))]).

argument({tarball, Metadata, Files}) ->
    {ok, #{tarball := Tarball}} = r3_hex_tarball:create(Metadata, Files),
    Tarball;
argument({file, Path}) ->
    {ok, Bytes} = file:read_file(Path),
    Bytes;
argument(Other) -> Other.

result({ok, {Status, Headers, Body}}) -> #{<<"status">> => Status, <<"headers">> => Headers, <<"body">> => Body};
result(Other) -> #{<<"error">> => iolist_to_binary(io_lib:format("~0p", [Other]))}.

json(Map) when is_map(Map) ->
    ["{", lists:join(",", [[json(to_binary(K)), ":", json(V)] || {K, V} <- maps:to_list(Map)]), "}"];
json(List) when is_list(List) -> ["[", lists:join(",", [json(Item) || Item <- List]), "]"];
json(true) -> "true";
json(false) -> "false";
json(Null) when Null == nil; Null == undefined; Null == null -> "null";
json(Integer) when is_integer(Integer) -> integer_to_list(Integer);
json(Float) when is_float(Float) -> io_lib:format("~g", [Float]);
json(Atom) when is_atom(Atom) -> json(atom_to_binary(Atom));
json(Binary) when is_binary(Binary) -> [$", [escape(C) || C <- unicode:characters_to_list(Binary)], $"].

escape($") -> "\\\"";
escape($\\) -> "\\\\";
escape(C) when C < 32; C > 126 -> escape_wide(C);
escape(C) -> C.

escape_wide(C) when C > 16#FFFF ->
    <<High:16, Low:16>> = unicode:characters_to_binary([C], utf8, utf16),
    io_lib:format("\\u~4.16.0b\\u~4.16.0b", [High, Low]);
escape_wide(C) -> io_lib:format("\\u~4.16.0b", [C]).

to_binary(Key) when is_binary(Key) -> Key;
to_binary(Key) when is_atom(Key) -> atom_to_binary(Key);
to_binary(Key) when is_list(Key) -> list_to_binary(Key).
