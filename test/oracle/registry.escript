#!/usr/bin/env escript
%% Encodes registries with the encoder inside rebar3. Argument: a file of terms {names | versions | package, Map}.
%% Prints one line of hexadecimal digits a term.
main([File]) ->
    {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
    {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
    [code:load_binary(list_to_atom(filename:basename(Path, ".beam")), Path, Beam)
     || {Path, Beam} <- Files, filename:extension(Path) == ".beam"],
    {ok, Terms} = file:consult(File),
    lists:foreach(fun(Term) -> io:format("~s~n", [hex(encode(Term))]) end, Terms).

encode({names, Map}) -> r3_hex_registry:encode_names(Map);
encode({versions, Map}) -> r3_hex_registry:encode_versions(Map);
encode({package, Map}) -> r3_hex_registry:encode_package(Map).

hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= iolist_to_binary(Bytes)].
