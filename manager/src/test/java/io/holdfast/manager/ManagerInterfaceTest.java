package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.process.ProcessList;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The manager's Varlink interface, as systemd's client and ours see it. */
@Timeout(120)
class ManagerInterfaceTest {
    @TempDir private Path folder;
    private Stage stage;
    private ManagerInterface face;
    private String address;

    private record Result(int status, String output) {}

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        stage = Stage.in(folder);
        face = ManagerInterface.serve(stage.manager(), stage.runtimeDirectory());
        address = "unix:" + stage.runtimeDirectory().resolve(ManagerInterface.SOCKET);
        stage.service("a", "Restart=on-failure", "RestartSec=0", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private static Result run(String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            return new Result(process.exitValue(), output);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private Result varlinkctl(String... words) throws IOException, InterruptedException {
        assumeThat(Path.of("/usr/bin/varlinkctl")).as("of Debian's package systemd").isExecutable();
        List<String> command = new ArrayList<>(List.of("varlinkctl"));
        command.addAll(List.of(words));
        return run(command.toArray(String[]::new));
    }

    private Result call(String method, String parameters) throws IOException, InterruptedException {
        return varlinkctl("call", "-j", address, "io.holdfast.Manager." + method, parameters);
    }

    @Test
    void varlinkctlIntrospectsIt() throws Exception {
        Result result = varlinkctl("introspect", address, "io.holdfast.Manager");

        assertThat(result.output()).contains("method WhoIs", "error NoSuchUnit");
        assertThat(result.status()).isZero();
    }

    @Test
    void varlinkctlStartsShowsSignalsAndStops() throws Exception {
        assertThat(call("Start", "{\"names\":[\"a\"]}").output()).contains("\"result\":\"done\"");
        try (PidFd main = stage.hold("a")) {
            assertThat(call("Status", "{\"name\":\"a.service\"}").output())
                    .contains("\"activeState\":\"active\"", "\"pidfdId\":" + main.id());
            assertThat(call("List", "{}").output()).contains("\"name\":\"a.service\"");
            assertThat(call("Kill", "{\"name\":\"a\",\"signal\":\"KILL\"}").status()).isZero();
            stage.happenings().await("a.service: INFO started", 2);
            assertThat(call("Status", "{\"name\":\"a\"}").output()).contains("\"restarts\":1");
        }
        assertThat(call("Restart", "{\"names\":[\"a\"]}").output()).contains("\"result\":\"done\"");
        assertThat(call("Stop", "{\"names\":[\"a\"]}").output()).contains("\"result\":\"done\"");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void varlinkctlIsToldWhatIsWrong() throws Exception {
        assertThat(call("Status", "{\"name\":\"nowhere\"}").output())
                .contains("not-found", "\"activeState\":\"inactive\"", "\"subState\":\"dead\"");
        assertThat(call("Start", "{\"names\":[\"nowhere\"]}").output()).contains("invalid");
        assertThat(call("Start", "{\"names\":[]}").output()).contains("InvalidParameter");
        assertThat(call("Status", "{\"name\":\"\"}").output()).contains("NoSuchUnit");
        assertThat(call("Stop", "{\"names\":[\"nowhere\"]}").output()).contains("not loaded");
        assertThat(call("Kill", "{\"name\":\"a\",\"signal\":\"TERM\"}").output())
                .contains("NoProcesses", "a.service");
        assertThat(call("Kill", "{\"name\":\"a\",\"signal\":\"NONSENSE\"}").output())
                .contains("InvalidParameter");
    }

    /** The log has 200 lines of 8000 control characters, which take six bytes each in JSON. */
    @Test
    void theLongestLogFitsIntoAReplyAndAListHasNone() throws Exception {
        String script =
                stage.shell(
                        "talkative",
                        """
                        head -c 1600000 /dev/zero | tr '\\0' '\\1' | fold -w 8000
                        echo
                        echo the end
                        exec sleep 1000
                        """);
        stage.service("talkative", "ExecStart=" + script);
        stage.start("talkative");
        stage.happenings().awaitOutput("talkative.service", "the end");
        Result status = call("Status", "{\"name\":\"talkative\"}");
        assertThat(status.output()).contains("the end\"]").hasSizeLessThan(1 << 20);
        Result list = call("List", "{}");
        assertThat(list.output()).contains("talkative.service").doesNotContain("the end");
    }

    @Test
    void everybodyMayReadAndOnlyTheOwnerMayChange() throws Exception {
        assumeThat(System.getProperty("user.name")).as("to become somebody else").isEqualTo("root");
        stage.start("a");
        String[] nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
        for (String[] words :
                new String[][] {
                    {"Status", "{\"name\":\"a\"}", "\"activeState\":\"active\""},
                    {"List", "{}", "a.service"},
                    {"Start", "{\"names\":[\"a\"]}", "PermissionDenied"},
                    {"Stop", "{\"names\":[\"a\"]}", "PermissionDenied"},
                    {"Restart", "{\"names\":[\"a\"]}", "PermissionDenied"},
                    {"Kill", "{\"name\":\"a\",\"signal\":\"KILL\"}", "PermissionDenied"},
                }) {
            List<String> command = new ArrayList<>(List.of(nobody));
            command.addAll(
                    List.of(
                            "varlinkctl",
                            "call",
                            "-j",
                            address,
                            "io.holdfast.Manager." + words[0],
                            words[1]));
            assertThat(run(command.toArray(String[]::new)).output())
                    .as(words[0])
                    .contains(words[2]);
        }
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    /** The same rules as for systemd's journal. */
    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "varlinkctl"})
    void theLogIsForRootTheUnitsUserAndTheGroupsOfTheJournal() throws Exception {
        String script = stage.shell("talk", "echo secret; exec sleep 1000");
        stage.service("root", "ExecStart=" + script);
        stage.service("user", "User=daemon", "ExecStart=" + script);
        stage.service("both", "User=daemon", "ExecStartPre=+/bin/true", "ExecStart=" + script);
        for (String unit : List.of("root", "user", "both")) {
            stage.start(unit);
            stage.happenings().awaitOutput(unit + ".service", "secret");
        }
        String adm = Long.toString(Accounts.SYSTEM.group("adm"));

        assertThat(log("root", "--reuid=0")).contains("secret").doesNotContain("logDenied");
        assertThat(log("root", "--reuid=1", "--regid=1", "--clear-groups"))
                .contains("\"activeState\":\"active\"", "\"log\":[]", "\"logDenied\":true")
                .doesNotContain("secret");
        assertThat(log("user", "--reuid=2", "--regid=1", "--clear-groups"))
                .contains("\"logDenied\":true")
                .doesNotContain("secret");
        assertThat(log("user", "--reuid=1", "--regid=1", "--clear-groups")).contains("secret");
        assertThat(log("root", "--reuid=2", "--regid=" + adm, "--clear-groups")).contains("secret");
        assertThat(log("root", "--reuid=2", "--regid=2", "--groups=" + adm)).contains("secret");
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "varlinkctl"})
    void aUserDoesNotReadWhatRunsOfOthersHaveWritten() throws Exception {
        String script = stage.shell("talk", "echo secret; exec sleep 1000");
        stage.service("a", "User=bin", "ExecStart=" + script);
        stage.start("a");
        stage.happenings().awaitOutput("a.service", "secret");
        stage.service("a", "User=daemon", "ExecStart=/bin/sleep 1000");
        var _ = stage.reloading().get(30, TimeUnit.SECONDS);
        stage.restart("a");
        for (String user : List.of("1", "2")) {
            assertThat(log("a", "--reuid=" + user, "--regid=" + user, "--clear-groups"))
                    .contains("\"logDenied\":true")
                    .doesNotContain("secret");
        }
        assertThat(log("a", "--reuid=0")).contains("secret");
    }

    /** Returns the status of a unit, as setpriv(1) with these options gets it. */
    private String log(String unit, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("setpriv"));
        command.addAll(List.of(options));
        command.addAll(List.of("varlinkctl", "call", "-j", address));
        command.addAll(List.of("io.holdfast.Manager.Status", "{\"name\":\"" + unit + "\"}"));
        return run(command.toArray(String[]::new)).output();
    }

    /** A process can make its command line megabytes long, and the manager's heap is small. */
    @Test
    void aLongCommandLineIsCut() throws Exception {
        String script =
                stage.python(
                        "long",
                        """
                        say("about to")
                        os.execv("/usr/bin/python3",
                                ["python3", "-c", "import time; time.sleep(1000)"] + ["x"] * 100000)
                        """);
        stage.service("long", "ExecStart=" + script);
        stage.start("long");
        stage.happenings().awaitOutput("long.service", "about to");
        while (!commandLine("long").contains("time.sleep")) {
            Await.pause(); // until it has executed the other program
        }
        assertThat(commandLine("long")).hasSizeLessThanOrEqualTo(ProcessList.COMMAND_LINE);
    }

    private String commandLine(String unit) throws Exception {
        return stage.status(unit).processes().getFirst().commandLine();
    }

    @Test
    void itKnowsWhoseProcessADescriptorHolds() throws Exception {
        stage.start("a");
        try (VarlinkClient client = VarlinkClient.connect(address);
                PidFd main = stage.hold("a");
                PidFd self = PidFd.self()) {
            JsonObject known = whoIs(client, main);
            assertThat(known.string("unit")).isEqualTo("a.service");
            assertThat(known.object("id").integer("pidfdId")).isEqualTo(main.id());
            assertThat(known.string("invocationId")).isEqualTo(stage.status("a").invocationId());
            assertThat(whoIs(client, self).optionalString("unit")).isEmpty();
            assertThatThrownBy(() ->
                            client.call("io.holdfast.Manager.WhoIs", JsonObject.of("pidfd", 0)))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageContaining("InvalidParameter");
        }
    }

    private static JsonObject whoIs(VarlinkClient client, PidFd process) {
        try (Reply reply =
                client.call(
                        "io.holdfast.Manager.WhoIs",
                        JsonObject.of("pidfd", 0),
                        Duration.ofSeconds(30),
                        List.of(process.fd()))) {
            return reply.parameters();
        }
    }
}
