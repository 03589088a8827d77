#!/usr/bin/env escript
%% Encodes, gzips and signs packages with rebar3's own copy of hex_core, on all cores. The file holds a list of packages,
%% checksums in hexadecimal, and the private key. Prints how many seconds encoding and gzip take, and the same with
%% signatures, each the median of five.
-mode(compile).

main([File]) ->
    load_rebar3(),
    {ok, [Packages, Key]} = file:consult(File),
    Decoded = [decode(Package) || Package <- Packages],
    Plain = fun(Package) -> zlib:gzip(r3_hex_registry:encode_package(Package)) end,
    Signed = fun(Package) ->
        zlib:gzip(r3_hex_registry:sign_protobuf(r3_hex_registry:encode_package(Package), Key))
    end,
    io:format("~f ~f~n", [median(Plain, Decoded), median(Signed, Decoded)]).

load_rebar3() ->
    {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
    {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
    [code:load_binary(list_to_atom(filename:basename(Path, ".beam")), Path, Beam)
     || {Path, Beam} <- Files, filename:extension(Path) == ".beam", is_of_hex(filename:basename(Path))].

is_of_hex("r3_hex_" ++ _) -> true;
is_of_hex(_) -> false.

decode(#{releases := Releases} = Package) ->
    Package#{releases := [Release#{inner_checksum := binary:decode_hex(Inner), outer_checksum := binary:decode_hex(Outer)}
                          || #{inner_checksum := Inner, outer_checksum := Outer} = Release <- Releases]}.

median(Work, Packages) ->
    lists:nth(3, lists:sort([seconds(Work, Packages) || _ <- lists:seq(1, 5)])).

%% Each core takes every so many-th package; only the time of the work is taken.
seconds(Work, Packages) ->
    Cores = erlang:system_info(schedulers_online),
    Parts = [[Package || {Index, Package} <- lists:enumerate(Packages), Index rem Cores == Core]
             || Core <- lists:seq(0, Cores - 1)],
    Workers = [spawn_monitor(fun() -> receive go -> lists:foreach(Work, Part) end end) || Part <- Parts],
    {Microseconds, _} = timer:tc(fun() ->
        [Pid ! go || {Pid, _} <- Workers],
        [receive {'DOWN', Reference, process, Pid, normal} -> ok end || {Pid, Reference} <- Workers]
    end),
    Microseconds / 1000000.
