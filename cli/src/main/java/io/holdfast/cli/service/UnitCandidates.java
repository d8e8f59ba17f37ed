package io.holdfast.cli.service;

import io.holdfast.cli.command.Candidate;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine.ParseResult;

/** Completes names of units: those of the manager that the line selects, and of unit files. */
public final class UnitCandidates {
    private UnitCandidates() {}

    /** Returns the units that the running manager has loaded, with their descriptions. */
    public static List<Candidate> loaded(ParseResult line) {
        return Candidate.query(() ->
                ManagerSocket.call(line, "List", JsonObject.EMPTY).objects("units").stream()
                        .map(unit -> new Candidate(unit.string("name"), unit.string("description")))
                        .toList());
    }

    /** Returns the same units, and those whose unit files the manager would load. */
    public static List<Candidate> startable(ParseResult line) {
        Map<String, Candidate> units = new TreeMap<>();
        List<Path> folders = new ArrayList<>(line.matchedOptionValue("--units", List.<Path>of()));
        folders.addAll(ManagerSocket.options(line).loadPath().folders());
        for (Path folder : folders) {
            try (Stream<Path> files = Files.list(folder)) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> UnitName.parse(name).isPresent())
                        .forEach(name -> units.putIfAbsent(name, new Candidate(name, "")));
            } catch (IOException e) {
                // most of the folders do not exist
            }
        }
        loaded(line).forEach(unit -> units.put(unit.word(), unit));
        return List.copyOf(units.values());
    }
}
