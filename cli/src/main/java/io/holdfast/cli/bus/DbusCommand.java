package io.holdfast.cli.bus;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ReplyLimits;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.generate.InterfaceGenerator;
import io.holdfast.dbus.generate.IntrospectedInterface;
import io.holdfast.dbus.generate.IntrospectionException;
import io.holdfast.dbus.generate.IntrospectionReader;
import io.holdfast.dbus.generate.SourceFile;
import io.holdfast.dbus.marshal.Syntax;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Writes Java interfaces for D-Bus interfaces, from introspection XML or from a live object. */
public final class DbusCommand implements Command {
    private static final String GENERATE = "generate";
    private static final String SESSION = "--session";
    private static final String SYSTEM = "--system";
    private static final String BUS = "--bus";

    /** The standard interfaces, which are written only if they are named. */
    private static final Set<String> STANDARD =
            Set.of(
                    "org.freedesktop.DBus.Introspectable",
                    "org.freedesktop.DBus.ObjectManager",
                    "org.freedesktop.DBus.Peer",
                    "org.freedesktop.DBus.Properties");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Write Java interfaces for D-Bus interfaces.")
                .description(
                        "%ngenerate reads introspection XML from a file, or from an object on a"
                                + " bus, and writes a Java interface for each D-Bus interface, for"
                                + " use with Proxy and Export of io.holdfast.dbus.typed. The same"
                                + " XML gives the same files; existing files are overwritten."
                                + " Without INTERFACE, generate writes all interfaces except the"
                                + " standard ones, such as org.freedesktop.DBus.Properties.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast dbus generate org.example.Clock.xml",
                        "  holdfast dbus generate clock.xml --package com.example.clock --output src/main/java",
                        "  holdfast dbus generate --system org.freedesktop.hostname1 /org/freedesktop/hostname1",
                        "  holdfast dbus generate --bus unix:path=/run/user/1000/bus org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager")
                .argument(GENERATE, "1", List.of(GENERATE), "What to do.")
                .arguments(
                        "FILE|NAME PATH|INTERFACE",
                        "0..*",
                        String.class,
                        "An XML file; or, with --session, --system or --bus, a bus name and an"
                                + " object path. Then the interfaces to write (default: all but the"
                                + " standard ones).")
                .flag(SESSION, "Introspect an object on the session bus.")
                .flag(SYSTEM, "Introspect an object on the system bus.")
                .option(BUS + " ADDRESS", "Introspect an object on this bus.")
                .option(
                        "--package PACKAGE",
                        "The Java package (default: the name of the interface without its last"
                                + " element).")
                .option(
                        "--output DIR",
                        "The source folder to write to (default: the current folder).")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        if (!line.matchedPositionalValue(0, "").equals(GENERATE)) {
            throw Command.misuse(line, "unknown subcommand; expected: " + GENERATE);
        }
        List<String> words = line.matchedPositionalValue(1, List.of());
        List<BusAddress> bus = bus(line);
        int required = bus.isEmpty() ? 1 : 2;
        if (words.size() < required) {
            throw Command.misuse(
                    line,
                    bus.isEmpty()
                            ? "missing FILE, or a bus option with NAME and PATH"
                            : "missing NAME and PATH");
        }
        String source = String.join("", words.subList(0, required));
        byte[] xml = bus.isEmpty() ? ofFile(words.getFirst()) : ofObject(line, bus, words);
        List<SourceFile> files;
        try {
            List<IntrospectedInterface> all = IntrospectionReader.read(source, xml);
            files = sources(line, chosen(all, words.subList(required, words.size()), source));
        } catch (IntrospectionException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
        Path folder = Path.of(line.matchedOptionValue("--output", ""));
        for (SourceFile file : files) {
            output.line(write(folder, file).toString());
        }
        return ExitCode.OK;
    }

    /** Returns the addresses of the bus; empty if the XML is read from a file. */
    private static List<BusAddress> bus(ParseResult line) {
        List<String> given =
                Stream.of(SESSION, SYSTEM, BUS).filter(line::hasMatchedOption).toList();
        if (given.isEmpty()) {
            return List.of();
        }
        if (given.size() > 1) {
            throw Command.misuse(line, "--session, --system and --bus exclude each other");
        }
        try {
            return switch (given.getFirst()) {
                case SESSION -> BusAddress.session();
                case SYSTEM -> BusAddress.system();
                default -> BusAddress.parseList(line.matchedOptionValue(BUS, ""));
            };
        } catch (BusAddressException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    private static byte[] ofFile(String name) {
        try (OpenedFile opened = OpenedFile.open(Path.of(name), OpenHow.reading())) {
            return opened.readFirst(IntrospectionReader.MAX_SIZE + 1);
        } catch (FileException e) {
            throw new CommandException(name + ": " + e.getReason(), e);
        }
    }

    private static byte[] ofObject(ParseResult line, List<BusAddress> bus, List<String> words)
            throws InterruptedException {
        String name = words.get(0);
        String path = words.get(1);
        if (!Syntax.isBusName(name)) {
            throw Command.misuse(line, "not a bus name: '" + name + "'");
        }
        if (!Syntax.isObjectPath(path)) {
            throw Command.misuse(line, "not the path of an object: '" + path + "'");
        }
        try (BusConnection connection = BusConnection.connect(bus, ReplyLimits.bus())) {
            List<Object> reply =
                    connection
                            .object(name, path)
                            .call("org.freedesktop.DBus.Introspectable", "Introspect");
            if (reply.size() != 1 || !(reply.getFirst() instanceof String xml)) {
                throw new CommandException(
                        name + path + ": Introspect: unexpected reply, not one string");
            }
            return xml.getBytes(StandardCharsets.UTF_8);
        } catch (DBusException e) {
            throw new CommandException(name + path + ": " + e.getMessage(), e);
        } catch (ConnectionLostException | ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static List<IntrospectedInterface> chosen(
            List<IntrospectedInterface> all, List<String> requested, String source) {
        for (String name : requested) {
            if (all.stream().noneMatch(each -> each.name().equals(name))) {
                throw new CommandException(source + ": no such interface: " + name);
            }
        }
        List<IntrospectedInterface> chosen =
                all.stream()
                        .filter(each ->
                                requested.isEmpty()
                                        ? !STANDARD.contains(each.name())
                                        : requested.contains(each.name()))
                        .toList();
        if (chosen.isEmpty()) {
            throw new CommandException(source + ": no interfaces except the standard ones");
        }
        return chosen;
    }

    private static List<SourceFile> sources(
            ParseResult line, List<IntrospectedInterface> interfaces) {
        String packageName = line.matchedOptionValue("--package", null);
        try {
            return packageName == null
                    ? InterfaceGenerator.generate(interfaces)
                    : InterfaceGenerator.generate(interfaces, packageName);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    private static Path write(Path folder, SourceFile file) {
        Path target = folder.resolve(file.path());
        try {
            Files.createDirectories(target.toAbsolutePath().getParent());
            Files.writeString(target, file.text());
            return target;
        } catch (IOException e) {
            throw new CommandException(CommandException.reason(e), e);
        }
    }
}
