#!/usr/bin/env escript
%% Answers with rebar3's own copy of hex_core, one line of Base64 a term of the file that is given:
%%   {encode, Function, Message}.            what r3_hex_registry:Function(Message) gives
%%   {sign, Payload, PrivateKey}.            a Signed message
%%   {open, File, Repository, Name, Key}.    the version of the only release in that packages/NAME
%%   {list, Function, Path, Repository, Key}. what r3_hex_registry:Function lists in that file, a line a package
%%   {versions, File, Repository, Key}.      a line for each package of that `versions`: its name and its versions
-mode(compile).

main([File]) ->
    load_rebar3(),
    {ok, Terms} = file:consult(File),
    [io:format("~s~n", [base64:encode(answer(Term))]) || Term <- Terms].

load_rebar3() ->
    {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
    {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
    [code:load_binary(list_to_atom(filename:basename(Path, ".beam")), Path, Beam)
     || {Path, Beam} <- Files, filename:extension(Path) == ".beam", is_of_hex(filename:basename(Path))].

is_of_hex("r3_hex_" ++ _) -> true;
is_of_hex(_) -> false.

answer({encode, Function, Message}) ->
    r3_hex_registry:Function(Message);
answer({sign, Payload, PrivateKey}) ->
    r3_hex_registry:sign_protobuf(Payload, PrivateKey);
answer({open, File, Repository, Name, Key}) ->
    {ok, Payload} = r3_hex_registry:decode_and_verify_signed(zlib:gunzip(File), Key),
    {ok, [#{version := Version}]} = r3_hex_registry:decode_package(Payload, Repository, Name),
    Version;
answer({list, Function, Path, Repository, Key}) ->
    {ok, File} = file:read_file(Path),
    {ok, Payload} = r3_hex_registry:decode_and_verify_signed(zlib:gunzip(File), Key),
    {ok, Packages} = r3_hex_registry:Function(Payload, Repository),
    iolist_to_binary([line(Package) || Package <- Packages]);
answer({versions, File, Repository, Key}) ->
    {ok, Payload} = r3_hex_registry:decode_and_verify_signed(zlib:gunzip(File), Key),
    {ok, Packages} = r3_hex_registry:decode_versions(Payload, Repository),
    iolist_to_binary([[Name, [[" ", Version] || Version <- Versions], "\n"]
                      || #{name := Name, versions := Versions} <- Packages]).

line(#{name := Name, versions := Versions, retired := Retired}) ->
    [lists:join(" ", [Name | Versions]), [[" ", integer_to_list(Index)] || Index <- Retired], "\n"];
line(#{name := Name}) -> [Name, "\n"].
