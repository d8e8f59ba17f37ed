package io.holdfast.cli.service;

import io.holdfast.cli.command.Candidate;
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

/** The units that a word may name: those of the manager that the line means, and unit files. */
public final class UnitCandidates {
    private UnitCandidates() {}

    /** The units that the running manager has loaded, with their descriptions. */
    public static List<Candidate> loaded(ParseResult line) {
        return Candidate.ask(() ->
                ManagerSocket.call(line, "List", JsonObject.EMPTY).objects("units").stream()
                        .map(unit -> new Candidate(unit.string("name"), unit.string("description")))
                        .toList());
    }

    /** The same, and the files of units that it would load. */
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
                // most of the folders are not there
            }
        }
        loaded(line).forEach(unit -> units.put(unit.word(), unit));
        return List.copyOf(units.values());
    }
}
