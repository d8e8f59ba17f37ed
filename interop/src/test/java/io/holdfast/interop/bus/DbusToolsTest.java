package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tools that come with {@code dbus-daemon}, clients based on libdbus. */
@Needs(programs = {"dbus-send", "dbus-monitor", "dbus-test-tool", "dbus-daemon", "dbus-broker"})
class DbusToolsTest extends OnEachBus {
    private static final String NAME = "org.example.Parrot";
    private static final String PATH = "/org/example/Parrot";

    private static String[] send(String... arguments) {
        return Stream.concat(Stream.of("dbus-send", "--bus=" + address()), Stream.of(arguments))
                .toArray(String[]::new);
    }

    private Programs.Running monitor(String... rules) {
        Stream<String> command = Stream.of("dbus-monitor", "--address", address());
        Programs.Running monitor =
                programs().start(Stream.concat(command, Stream.of(rules)).toArray(String[]::new));
        // it becomes a monitor before anything else, and thereby loses its name
        assertThat(monitor.lineWith("member=NameLost")).contains("sender=org.freedesktop.DBus");
        return monitor;
    }

    @Test
    void sendCallsWithValuesOfEachType() throws Exception {
        String types = "ybnqiuxtdsoasa{sd}v";
        ExportedObject ignored =
                connection()
                        .export(
                                PATH,
                                BusInterface.named(NAME)
                                        .method("Say", types, types, MethodCall::arguments)
                                        .build());
        connection().requestName(NAME);

        String output =
                programs()
                        .output(
                                send(
                                        "--print-reply",
                                        "--dest=" + NAME,
                                        PATH,
                                        NAME + ".Say",
                                        "byte:7",
                                        "boolean:true",
                                        "int16:-1",
                                        "uint16:65535",
                                        "int32:-2",
                                        "uint32:4294967295",
                                        "int64:-3",
                                        "uint64:18446744073709551615",
                                        "double:0.25",
                                        "string:ä",
                                        "objpath:/a/b",
                                        "array:string:x,y",
                                        "dict:string:double:k,1.5",
                                        "variant:int32:9"));

        List<String> lines = output.lines().map(String::strip).toList();
        assertThat(lines.getFirst())
                .startsWith("method return time=")
                .contains("sender=" + connection().uniqueName() + " -> destination=:1.");
        assertThat(lines.subList(1, lines.size()))
                .containsExactly(
                        "byte 7",
                        "boolean true",
                        "int16 -1",
                        "uint16 65535",
                        "int32 -2",
                        "uint32 4294967295",
                        "int64 -3",
                        "uint64 18446744073709551615",
                        "double 0.25",
                        "string \"ä\"",
                        "object path \"/a/b\"",
                        "array [",
                        "string \"x\"",
                        "string \"y\"",
                        "]",
                        "array [",
                        "dict entry(",
                        "string \"k\"",
                        "double 1.5",
                        ")",
                        "]",
                        "variant       int32 9");
    }

    @Test
    void errorsKeepTheirNames() throws Exception {
        assertError("ServiceUnknown", "--dest=org.example.Nobody", "/", "a.b.C");
        assertError(
                "UnknownMethod",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.Nope");
        assertError(
                "NameHasNoOwner",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.GetNameOwner",
                "string:org.example.Nobody");
        assertError(
                "MatchRuleInvalid",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.AddMatch",
                "string:nonsense");
        assertError(
                "InvalidArgs",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.RequestName",
                "string:notaname",
                "uint32:0");
    }

    private void assertError(String name, String... call) throws InterruptedException {
        String[] arguments =
                Stream.concat(Stream.of("--print-reply"), Stream.of(call)).toArray(String[]::new);
        Programs.Ended ended = programs().run(send(arguments));

        assertThat(ended.exit()).isEqualTo(new Exit.Exited(1));
        assertThat(ended.output()).startsWith("Error org.freedesktop.DBus.Error." + name + ":");
    }

    @Test
    void monitorSeesCallsToOthersAndTheirReplies() throws Exception {
        Programs.Running echo =
                programs().start("dbus-test-tool", "echo", "--session", "--name=" + NAME);
        String owner = awaitOwner(NAME);
        Programs.Running monitor = monitor();

        assertThat(
                        programs()
                                .output(
                                        send(
                                                "--print-reply",
                                                "--dest=" + NAME,
                                                PATH,
                                                NAME + ".Hi",
                                                "string:x")))
                .contains("method return");

        String call = monitor.lineWith("member=Hi");
        assertThat(call)
                .startsWith("method call time=")
                .contains(
                        "destination=" + NAME,
                        "path=" + PATH + "; interface=" + NAME + "; member=Hi");
        String caller = call.replaceFirst(".*sender=(\\S+) .*", "$1");
        assertThat(monitor.lineWith("string")).isEqualTo("   string \"x\"");
        assertThat(monitor.lineWith("method return"))
                .contains("sender=" + owner + " -> destination=" + caller);
        assertThat(monitor.lineWith("member=NameOwnerChanged"))
                .contains("sender=org.freedesktop.DBus");
        assertThat(monitor.lineWith("string")).isEqualTo("   string \"" + caller + "\"");
        assertThat(echo.isAlive()).isTrue();
    }

    @Test
    void monitorIsGoneFromTheNames() throws Exception {
        try (var changes = connection().subscribe("type='signal',member='NameOwnerChanged'")) {
            Programs.Running monitor = monitor("type='signal',interface='org.example.Alarm'");
            List<Object> appeared;
            List<Object> went;
            try (var message = changes.take()) {
                appeared = message.values();
            }
            try (var message = changes.take()) {
                went = message.values();
            }
            Object name = appeared.getFirst();
            assertThat(appeared).containsExactly(name, "", name);
            assertThat(went).containsExactly(name, name, "");

            assertThat(programs().output(send("--type=signal", "/a", "org.example.Other.Rang")))
                    .isEmpty();
            assertThat(programs().output(send("--type=signal", "/a", "org.example.Alarm.Rang")))
                    .isEmpty();
            assertThat(monitor.lineWith("member=Rang")).contains("interface=org.example.Alarm");
            assertThat(connection().owner(name.toString())).isEmpty();
        }
    }

    @Test
    void echoAnswersAFloodOfCalls() throws Exception {
        Programs.Running echo =
                programs().start("dbus-test-tool", "echo", "--session", "--name=" + NAME);
        assertThat(awaitOwner(NAME)).startsWith(":1.");

        for (String pace : new String[] {"--queue=100", "--flood"}) {
            String[] spam = {
                "dbus-test-tool", "spam", "--session", "--dest=" + NAME, "--count=2000", pace
            };
            assertThat(programs().output(spam)).isEmpty();
        }
        assertThat(echo.isAlive()).isTrue();
    }

    @Test
    void aCallIsAnsweredWhenItsCalleeDies() throws Exception {
        Programs.Running hole =
                programs().start("dbus-test-tool", "black-hole", "--session", "--name=" + NAME);
        assertThat(awaitOwner(NAME)).startsWith(":1.");
        Programs.Running monitor = monitor("type='method_call',member='Swallow'");
        Programs.Running caller =
                programs()
                        .start(
                                send(
                                        "--print-reply",
                                        "--reply-timeout=170000",
                                        "--dest=" + NAME,
                                        "/",
                                        NAME + ".Swallow"));
        assertThat(monitor.lineWith("member=Swallow")).contains("destination=" + NAME);

        hole.kill();

        Programs.Ended ended = caller.end();
        assertThat(ended.exit()).isEqualTo(new Exit.Exited(1));
        assertThat(ended.output()).startsWith("Error org.freedesktop.DBus.Error.NoReply");
    }
}
