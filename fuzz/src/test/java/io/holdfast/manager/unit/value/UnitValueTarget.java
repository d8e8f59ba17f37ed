package io.holdfast.manager.unit.value;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.calendar.CalendarSpec;
import io.holdfast.manager.unit.calendar.LocalZone;
import io.holdfast.manager.unit.host.Specifiers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The values of directives, each parsed by the parser that the first byte chooses. A parser refuses
 * with IllegalArgumentException and nothing else; a value that can be written means the same when
 * it is parsed again.
 */
public final class UnitValueTarget {
    private static final List<Consumer<String>> PARSERS =
            List.of(
                    UnitValueTarget::timeSpan,
                    UnitValueTarget::command,
                    UnitValueTarget::words,
                    UnitValueTarget::specifiers,
                    UnitValueTarget::address,
                    UnitValueTarget::environment,
                    UnitValueTarget::name,
                    UnitValueTarget::escapes,
                    UnitValueTarget::glob,
                    UnitValueTarget::streams,
                    UnitValueTarget::numbers,
                    UnitValueTarget::calendar,
                    UnitValueTarget::systemCalls,
                    UnitValueTarget::mountOptions);
    private static final UnitFilePlace PLACE = new UnitFilePlace("fuzzed", 1);

    private UnitValueTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, UnitValueTarget::check);
    }

    private static void check(byte[] input) {
        String text = Inputs.text(Inputs.rest(input));
        try {
            PARSERS.get(Inputs.selector(input) % PARSERS.size()).accept(text);
        } catch (IllegalArgumentException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
    }

    private static void timeSpan(String text) {
        TimeSpan span = TimeSpan.parse(text);
        same(TimeSpan.parse(span.toString()), span);
    }

    private static void calendar(String text) {
        LocalZone zone = LocalZone.of("Europe/Berlin");
        CalendarSpec spec = CalendarSpec.parse(text, zone);
        same(CalendarSpec.parse(spec.toString(), zone), spec);
        long now = Math.floorMod(text.hashCode() * 1_000_003L, 4_000_000_000_000_000L);
        spec.next(now, zone).ifPresent(next -> require(next > now, "the next is later"));
    }

    private static void mountOptions(String text) {
        MountOptions options = MountOptions.parse(text);
        same(MountOptions.parse(options.toString()), options);
        for (String option : options.options()) {
            require(options.has(option.split("=", 2)[0]), "an option that is there is found");
        }
        for (String option : MountOptions.parse(options.forMount()).options()) {
            require(
                    options.options().contains(option),
                    "mount(8) gets no option that is not there");
        }
    }

    /** Lines of a filter of system calls. */
    private static void systemCalls(String text) {
        for (boolean permits : new boolean[] {true, false}) {
            SystemCallList list = SystemCallList.ofNothing(permits);
            for (String line : text.split("\n", 8)) {
                boolean inverted = line.startsWith("~");
                List<String> words = WordReader.splitRelaxed(inverted ? line.substring(1) : line);
                list = list.with(inverted, words, why -> require(!why.isEmpty(), "it says why"));
            }
            for (String call : list.calls().keySet()) {
                require(SystemCallGroups.isKnown(call), "only known calls");
            }
            same(
                    SystemCallList.ofNothing(permits)
                            .with(!permits, list.words(), why -> require(false, why))
                            .words(),
                    list.words());
        }
    }

    private static void command(String text) {
        ExecCommand.Line line = ExecCommand.parse(text, PLACE, specifiersOf("a@b.service")::expand);
        for (ExecCommand command : line.commands()) {
            require(!command.arguments().isEmpty(), "a command has its own name");
            for (String argument : command.expand(Map.of("a", "b \" c", "b", ""))) {
                require(argument.indexOf(0) < 0 || text.indexOf(0) >= 0, "no NUL from nowhere");
            }
        }
    }

    private static void words(String text) {
        List<String> _ = WordReader.splitRelaxed(text);
        for (WordReader.Backslash backslash : WordReader.Backslash.values()) {
            WordReader words = new WordReader(text, backslash);
            try {
                while (words.next() != null) {}
            } catch (IllegalArgumentException e) {
                require(e.getMessage() != null, "a refusal says why");
            }
        }
    }

    private static Specifiers specifiersOf(String unit) {
        return new Specifiers(
                UnitName.of(unit), Optional.empty(), FuzzedHost.HOST, FuzzedHost.SCOPE);
    }

    private static void specifiers(String text) {
        same(specifiersOf("a@b-c.service").expand(text.replace("%", "%%")), text);
        String expanded = specifiersOf("a@b-c.service").expand(text);
        require(expanded.length() <= Specifiers.MAX_LENGTH + text.length(), "a bounded result");
    }

    private static void address(String text) {
        ListenAddress address = ListenAddress.parse(text);
        switch (address) {
            case ListenAddress.Node(String path) -> require(path.startsWith("/"), "absolute");
            case ListenAddress.AbstractName(String name) -> require(!name.isEmpty(), "a name");
            case ListenAddress.Port(_, int port) ->
                    require(port >= 1 && port <= 65535, "a port in range");
            case ListenAddress.Netlink _, ListenAddress.Queue _, ListenAddress.Other _ ->
                    throw new AssertionError("no address: " + text);
        }
        ListenAddress again = ListenAddress.parse(address.toString());
        if (!(address instanceof ListenAddress.Port port) || port.host().isPresent()) {
            same(again, address); // a port alone is written with the wildcard address
        }
    }

    private static void environment(String text) {
        for (String name : EnvironmentFile.parse(text).keySet()) {
            require(!name.isEmpty() && name.indexOf('=') < 0, "a variable has a name");
        }
    }

    private static void name(String text) {
        UnitName.parse(text)
                .ifPresent(name -> {
                    String instance = name.instance().map(i -> "@" + i).orElse("");
                    String at = name.isTemplate() ? "@" : instance;
                    same(name.prefix() + at + name.type().suffix(), text);
                    if (name.type() == UnitType.SLICE) {
                        List<UnitName> _ = name.slicePath();
                    }
                });
        UnitName name = UnitName.ofUserInput(text);
        same(UnitName.of(name.text()), name);
    }

    private static void escapes(String text) {
        if (text.indexOf(0) < 0) {
            same(UnitEscape.unescape(UnitEscape.escape(text)), text);
        }
        try {
            String path = UnitEscape.unescapePath(text);
            same(UnitEscape.unescapePath(UnitEscape.escapePath(path)), path);
        } catch (IllegalArgumentException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
        String _ = UnitEscape.unescape(text);
    }

    private static void glob(String text) {
        int half = text.length() / 2;
        boolean _ = Glob.matches(text.substring(0, half), text.substring(half));
        require(Glob.matches("*" + text.replaceAll("(?s)(.)", "\\\\$1"), text), "matches itself");
    }

    private static void streams(String text) {
        for (Consumer<String> parser :
                List.<Consumer<String>>of(
                        StandardStream::parseInput,
                        StandardStream::parseOutput,
                        Scalars::parsePath,
                        Scalars::parseRelativePath)) {
            try {
                parser.accept(text);
            } catch (IllegalArgumentException e) {
                require(e.getMessage() != null, "a refusal says why");
            }
        }
    }

    private static void numbers(String text) {
        for (Consumer<String> parser :
                List.<Consumer<String>>of(
                        Scalars::parseBoolean,
                        Scalars::parseMode,
                        Scalars::parseUnsigned,
                        Scalars::parseSize,
                        word -> Scalars.parseInt(word, 0, 100),
                        TimeSpan::parseMicros)) {
            try {
                parser.accept(text);
            } catch (IllegalArgumentException e) {
                require(e.getMessage() != null, "a refusal says why");
            }
        }
    }
}
