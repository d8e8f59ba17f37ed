package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** systemd's Varlink interfaces of units, jobs and the manager, as varlinkctl(1) calls them. */
@Timeout(120)
@Needs(programs = {"varlinkctl", "systemctl"})
class SystemdVarlinkTest {
    private static final String LIST = "io.systemd.Unit.List";
    private static final List<String> NOBODY =
            List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 dbus;
    private ManagerInterface face;
    private String socket;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        stage = Stage.in(folder);
        dbus = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        face = ManagerInterface.serve(stage.manager(), stage.runtimeDirectory());
        face.serveAlso(stage.runtimeDirectory());
        socket = stage.runtimeDirectory().resolve(ManagerInterface.SYSTEMD_SOCKET).toString();
        stage.serviceWith(
                "a",
                "Description=The unit a\nAfter=b.service\nStartLimitBurst=7\nStartLimitIntervalSec=3",
                "ExecStart=-/bin/sleep 1000",
                "Environment=A=1 B=2",
                "WorkingDirectory=-/tmp",
                "Restart=on-failure",
                "SuccessExitStatus=3 TERM",
                "KillSignal=SIGINT");
        stage.service("b", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        dbus.close();
        stage.close();
    }

    private Tool run(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("varlinkctl"));
        command.addAll(List.of(words));
        return Tool.run(Map.of(), command.toArray(String[]::new));
    }

    private JsonObject call(String method, String parameters) throws Exception {
        Tool ran = run("call", "-j", socket, method, parameters);
        assertThat(ran.status()).as(ran.output()).isZero();
        return Json.parse(ran.output()).asObject();
    }

    private String refused(String method, String parameters) throws Exception {
        Tool ran = run("call", "-j", socket, method, parameters);
        assertThat(ran.status()).as(ran.output()).isNotZero();
        return ran.output();
    }

    private List<JsonObject> more(String method, String parameters) throws Exception {
        Tool ran = run("call", "-j", "--more", socket, method, parameters);
        assertThat(ran.status()).as(ran.output()).isZero();
        return ran.output()
                .replace("\u001e", "")
                .lines()
                .map(line -> Json.parse(line).asObject())
                .toList();
    }

    private JsonObject unit(String selector) throws Exception {
        return call(LIST, selector);
    }

    private String id(String selector) throws Exception {
        return unit(selector).object("context").string("ID");
    }

    private Systemctl systemctl() {
        return Systemctl.of(stage);
    }

    // ---- the definitions

    @Test
    void itsInterfacesAreThere() throws Exception {
        assertThat(run("list-interfaces", socket).output().lines())
                .contains("io.systemd.Job", "io.systemd.Manager", "io.systemd.Unit");
        for (String name : List.of("Job", "Manager", "Unit")) {
            Path text = folder.resolve(name);
            Tool shown = run("introspect", socket, "io.systemd." + name);
            Files.writeString(text, shown.output());
            Tool valid = run("validate-idl", text.toString());
            assertThat(valid.status()).as(valid.output()).isZero();
        }
    }

    // ---- List

    @Test
    void aUnitIsFoundByItsNameAProcessItsCgroupAndItsInvocation() throws Exception {
        stage.start("a");
        String invocation = stage.status("a").invocationId();
        String cgroup = stage.status("a").cgroup().orElseThrow();
        assertThat(id("{\"name\":\"a.service\"}")).isEqualTo("a.service");
        try (PidFd main = stage.hold("a")) {
            String process = "{\"pid\":%d}".formatted(main.pid());
            String held = "{\"pid\":%d,\"pidfdId\":%d}".formatted(main.pid(), main.id());
            String another = "{\"pid\":%d,\"pidfdId\":%d}".formatted(main.pid(), main.id() + 1);
            assertThat(id("{\"pid\":" + process + "}")).isEqualTo("a.service");
            assertThat(id("{\"pid\":" + held + ",\"name\":\"a.service\"}")).isEqualTo("a.service");
            assertThat(refused(LIST, "{\"pid\":" + another + "}"))
                    .contains("io.systemd.Unit.NoSuchUnit");
        }
        assertThat(id("{\"cgroup\":\"" + cgroup + "\"}")).isEqualTo("a.service");
        assertThat(id("{\"invocationID\":\"" + invocation + "\"}")).isEqualTo("a.service");
        assertThat(refused(LIST, "{\"pid\":{\"pid\":0}}"))
                .as("the caller belongs to no unit of this manager")
                .contains("io.systemd.Unit.NoSuchUnit");
    }

    @Test
    void aSelectionThatFitsNoUnitIsRefused() throws Exception {
        stage.start("a");
        stage.unit("bad.service", "[Service]\nType=simple\n");
        Files.createSymbolicLink(
                stage.unitFolder().resolve("masked.service"), Path.of("/dev/null"));
        assertThat(refused(LIST, "{}")).contains("ExpectedMore");
        assertThat(refused(LIST, "{\"name\":\"nowhere.service\"}")).contains("Unit.NoSuchUnit");
        assertThat(refused(LIST, "{\"name\":\"masked.service\"}")).contains("Unit.UnitMasked");
        assertThat(refused(LIST, "{\"name\":\"bad.service\"}")).contains("Unit.UnitError");
        assertThat(refused(LIST, "{\"name\":\"no type\"}")).contains("InvalidParameter");
        assertThat(refused(LIST, "{\"cgroup\":\"relative\"}")).contains("InvalidParameter");
        assertThat(refused(LIST, "{\"invocationID\":\"7\"}")).contains("InvalidParameter");
        assertThat(refused(LIST, "{\"pid\":{\"pid\":-1}}")).contains("InvalidParameter");
        String invocation = stage.status("a").invocationId();
        assertThat(
                        refused(
                                LIST,
                                "{\"name\":\"b.service\",\"invocationID\":\"" + invocation + "\"}"))
                .contains("Unit.NoSuchUnit");
    }

    @Test
    void onlyMarkersAreSetThisWay() throws Exception {
        stage.start("a");
        String set = "io.systemd.Unit.SetProperties";
        String a = "{\"name\":\"a.service\",\"runtime\":true,\"properties\":";
        for (String[] each :
                new String[][] {
                    {"[\"needs-restart\"]", "[\"needs-restart\"]"},
                    {"[\"+needs-reload\"]", "[\"needs-reload\",\"needs-restart\"]"},
                    {"[\"-needs-restart\"]", "[\"needs-reload\"]"},
                }) {
            JsonObject _ = call(set, a + "{\"Markers\":" + each[0] + "}}");
            assertThat(runtime("a.service").find("Markers")).get().hasToString(each[1]);
        }
        JsonObject _ = call(set, a + "{\"Markers\":[]}}");
        assertThat(runtime("a.service").find("Markers")).isEmpty();
        assertThat(refused(set, a + "{\"Markers\":[\"needs-restart\",\"+needs-reload\"]}}"))
                .contains("InvalidParameter")
                .contains("properties");
        assertThat(refused(set, a + "{\"Markers\":[\"needs-nothing\"]}}"))
                .contains("InvalidParameter");
        assertThat(refused(set, a + "{\"ActiveState\":\"active\"}}"))
                .contains("Unit.PropertyNotSupported")
                .contains("ActiveState");
        assertThat(refused(set, "{\"name\":\"no.service\",\"runtime\":true,\"properties\":{}}"))
                .contains("Unit.NoSuchUnit");
    }

    private JsonObject runtime(String unit) throws Exception {
        return unit("{\"name\":\"" + unit + "\"}").object("runtime");
    }

    @Test
    void markedUnitsAreRestartedAndReloaded() throws Exception {
        String marked = "io.systemd.Manager.EnqueueMarkedJobs";
        assertThat(call(marked, "{}").isEmpty()).isTrue();
        assertThat(more(marked, "{}")).containsExactly(JsonObject.EMPTY);
        stage.serviceWith("c", "RefuseManualStop=yes", "ExecStart=/bin/sleep 1000");
        for (String unit : List.of("a", "b", "c")) {
            stage.start(unit);
        }
        String before = stage.status("b").invocationId();
        for (String unit : List.of("a", "b", "c")) {
            String _ = systemctl().expect(0, "set-property", unit, "Markers=needs-restart");
        }
        assertThat(more(marked, "{}"))
                .extracting(
                        reply -> reply.string("unitID"),
                        reply -> reply.optionalInteger("jobID").isPresent(),
                        reply -> reply.optionalString("error").orElse(""))
                .containsExactlyInAnyOrder(
                        tuple("a.service", true, ""),
                        tuple("b.service", true, ""),
                        tuple("c.service", false, "io.systemd.Unit.OnlyByDependency"));
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE); // the restart
        assertThat(stage.status("b").invocationId()).isNotEqualTo(before);
        assertThat(runtime("b.service").find("Markers")).isEmpty();
        assertThat(refused(marked, "{}")).contains("OnlyByDependency");
    }

    @Test
    void allUnitsComeOneByOne() throws Exception {
        String[] names = new String[40];
        for (int i = 0; i < names.length; i++) {
            names[i] = "many" + i + ".target";
            stage.unit(names[i], "[Unit]\nDefaultDependencies=no\n");
        }
        stage.unit(
                "all.target",
                "[Unit]\nDefaultDependencies=no\nWants=" + String.join(" ", names) + "\n");
        assertThat(stage.start("all.target")).isEqualTo(JobResult.DONE);
        List<String> ids =
                more(LIST, "{}").stream().map(unit -> unit.object("context").string("ID")).toList();
        assertThat(ids).doesNotHaveDuplicates().contains("all.target").contains(names);
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aUserHasFewListsThatAreNotRead() throws Exception {
        String words = "x".repeat(20_000); // more in all than pipes and sockets hold
        String[] names = new String[40];
        for (int i = 0; i < names.length; i++) {
            names[i] = "long" + i + ".target";
            stage.unit(names[i], "[Unit]\nDefaultDependencies=no\nDescription=" + words + "\n");
        }
        stage.unit(
                "all.target",
                "[Unit]\nDefaultDependencies=no\nWants=" + String.join(" ", names) + "\n");
        assertThat(stage.start("all.target")).isEqualTo(JobResult.DONE);
        List<Process> lists = new ArrayList<>();
        try {
            for (int i = 0; i <= ManagerLimits.UNIT_LISTS.intValue(); i++) {
                List<String> command = new ArrayList<>(NOBODY);
                command.addAll(List.of("varlinkctl", "call", "-j", "--more", socket, LIST, "{}"));
                lists.add(new ProcessBuilder(command).start());
            }
            Process refused =
                    (Process)
                            CompletableFuture.anyOf(
                                            lists.stream()
                                                    .map(Process::onExit)
                                                    .toArray(CompletableFuture[]::new))
                                    .get();
            assertThat(new String(refused.getErrorStream().readAllBytes(), UTF_8))
                    .contains("io.systemd.System"); // EBUSY
            assertThat(lists).filteredOn(Process::isAlive).hasSize(lists.size() - 1);
        } finally {
            lists.forEach(Process::destroyForcibly);
            for (Process list : lists) {
                assertThat(list.waitFor()).isNotZero();
            }
        }
        assertThat(more(LIST, "{}")).hasSizeGreaterThan(names.length);
    }

    @Test
    void aUnitHasTheValuesOfItsProperties() throws Exception {
        stage.start("a");
        JsonObject a = unit("{\"name\":\"a.service\"}");
        JsonObject context = a.object("context");
        JsonObject runtime = a.object("runtime");
        assertThat(context.string("Type")).isEqualTo("service");
        assertThat(context.string("Description")).isEqualTo("The unit a");
        assertThat(context.strings("After")).contains("b.service");
        assertThat(context.object("StartLimit"))
                .hasToString("{\"intervalUSec\":3000000,\"burst\":7}");
        assertThat(context.string("FragmentPath")).endsWith("/a.service");
        assertThat(context.fields())
                .doesNotContainKeys("Wants", "FailureAction", "JobTimeoutUSec", "Socket", "Names");
        JsonObject exec = context.object("Exec");
        assertThat(exec.strings("Environment")).containsExactly("A=1", "B=2");
        assertThat(exec.object("WorkingDirectory"))
                .hasToString("{\"path\":\"/tmp\",\"missingOK\":true}");
        assertThat(context.object("Kill").string("KillSignal")).isEqualTo("INT");
        JsonObject service = context.object("Service");
        assertThat(service.string("Restart")).isEqualTo("on_failure");
        assertThat(service.object("SuccessExitStatus"))
                .hasToString("{\"statuses\":[3],\"signals\":[\"TERM\"]}");
        assertThat(service.objects("ExecStart").getFirst())
                .hasToString(
                        "{\"path\":\"/bin/sleep\",\"arguments\":[\"/bin/sleep\",\"1000\"],"
                                + "\"ignoreFailure\":true}");
        assertThat(runtime.string("ActiveState")).isEqualTo("active");
        assertThat(runtime.object("ActiveEnterTimestamp").integer("realtime")).isPositive();
        assertThat(runtime.string("InvocationID").replace("-", ""))
                .isEqualTo(stage.status("a").invocationId());
        assertThat(runtime.object("CGroup").string("Path"))
                .isEqualTo(stage.status("a").cgroup().orElseThrow());
        try (PidFd main = stage.hold("a")) {
            assertThat(runtime.object("Service").object("MainPID").integer("pidfdId"))
                    .isEqualTo(main.id());
        }
        assertThat(runtime.object("Service").string("Result")).isEqualTo("success");
    }

    @Test
    void everyTypeOfUnitHasItsOwnContext() throws Exception {
        stage.unit("t.timer", "[Timer]\nOnCalendar=daily\nOnActiveSec=5s\nUnit=a.service\n");
        stage.unit("s.socket", "[Socket]\nListenStream=" + folder + "/s\nService=a.service\n");
        stage.unit("p.path", "[Path]\nPathExists=/nowhere\nUnit=a.service\n");
        assertThat(context("t.timer").object("Timer").objects("Timers"))
                .extracting(JsonObject::toString)
                .containsExactlyInAnyOrder(
                        "{\"base\":\"OnCalendar\",\"calendar\":\"*-*-* 00:00:00\"}",
                        "{\"base\":\"OnActiveUSec\",\"usec\":5000000}");
        assertThat(context("s.socket").object("Socket").objects("Listen").getFirst())
                .hasToString("{\"type\":\"Stream\",\"address\":\"" + folder + "/s\"}");
        assertThat(context("p.path").object("Path").objects("Paths").getFirst())
                .hasToString("{\"type\":\"PathExists\",\"path\":\"/nowhere\"}");
        assertThat(context("p.path").fields()).doesNotContainKeys("Service", "Exec", "CGroup");
    }

    private JsonObject context(String unit) throws Exception {
        return unit("{\"name\":\"" + unit + "\"}").object("context");
    }

    // ---- StartTransient

    private static String transientUnit(String rest) {
        return "{\"context\":{\"ID\":\"x.service\"," + rest;
    }

    private static final String TRUE = "\"ExecStart\":[{\"path\":\"/bin/true\"}]";
    private static final String START = "io.systemd.Unit.StartTransient";

    @Test
    void aTransientUnitIsStartedAndDescribed() throws Exception {
        JsonObject x =
                call(
                        START,
                        transientUnit(
                                """
                                "Description":"Two % words",
                                "CollectMode":"inactive_or_failed",
                                "StartLimit":{"intervalUSec":2000000,"burst":9},
                                "CGroup":{"TasksMax":{"value":40,"scale":0}},
                                "Kill":{"SendSIGHUP":true,"KillSignal":"USR1"},
                                "Exec":{
                                  "WorkingDirectory":{"path":"/tmp"},
                                  "Environment":["FOO=bar baz"],
                                  "SetCredential":[{"id":"c","value":"c2VjcmV0"}],
                                  "SystemCallArchitectures":["native"]
                                },
                                "Service":{
                                  "Type":"oneshot",
                                  "RemainAfterExit":true,
                                  "SuccessExitStatus":{"statuses":[3],"signals":["USR2"]},
                                  "ExecStart":[
                                    {"path":"/bin/sh","arguments":["sh","-c",
                                      "echo \\"$FOO|$(pwd)|$(cat $CREDENTIALS_DIRECTORY/c)\\""]},
                                    {"path":"/bin/false","ignoreFailure":true}
                                  ]
                                }}}
                                """));
        JsonObject context = x.object("context");
        assertThat(context.bool("Transient")).isTrue();
        assertThat(context.string("Description")).isEqualTo("Two % words");
        assertThat(context.object("Service").objects("ExecStart").get(1))
                .hasToString(
                        "{\"path\":\"/bin/false\",\"arguments\":[\"/bin/false\"],"
                                + "\"ignoreFailure\":true}");
        assertThat(x.object("job").string("JobType")).isEqualTo("start");
        assertThat(x.object("runtime").string("LoadState")).isEqualTo("loaded");
        stage.happenings().awaitOutput("x.service", "bar baz|/tmp|secret");
        assertThat(systemctl().expect(0, "start", "x.service")).isEmpty();
        assertThat(
                        systemctl()
                                .expect(
                                        0,
                                        "show",
                                        "x.service",
                                        "-p",
                                        "CollectMode,StartLimitBurst,TasksMax,SendSIGHUP,KillSignal,SuccessExitStatus"))
                .contains(
                        "CollectMode=inactive-or-failed",
                        "StartLimitBurst=9",
                        "TasksMax=40",
                        "SendSIGHUP=yes",
                        "KillSignal=10",
                        "SuccessExitStatus=3 USR2");
    }

    @Test
    void changesOfTheJobAndOfTheUnitAreSent() throws Exception {
        List<JsonObject> replies =
                more(
                        START,
                        transientUnit("\"Service\":{\"Type\":\"oneshot\"," + TRUE + "}}")
                                + ",\"notifyJobChanges\":true,\"notifyUnitChanges\":true}");
        assertThat(replies.getFirst().object("job").string("State")).isEqualTo("waiting");
        assertThat(replies)
                .anyMatch(reply ->
                        reply.optionalObject("runtime")
                                .filter(unit -> unit.string("ActiveState").equals("activating"))
                                .isPresent());
        JsonObject last = replies.getLast();
        assertThat(last.object("job").string("State")).isEqualTo("finished");
        assertThat(last.object("job").string("Result")).isEqualTo("done");
        assertThat(last.object("context").string("ID")).isEqualTo("x.service");
    }

    @Test
    void withoutANotificationMoreIsAnsweredAtOnce() throws Exception {
        List<JsonObject> replies =
                more(START, transientUnit("\"Service\":{\"Type\":\"oneshot\"," + TRUE + "}}}"));
        assertThat(replies).hasSize(1);
        assertThat(replies.getFirst().object("job").find("Result")).isEmpty();
    }

    @Test
    void aTransientUnitThatCannotBeMadeIsRefused() throws Exception {
        String sleep =
                "\"ExecStart\":[{\"path\":\"/bin/sleep\",\"arguments\":[\"sleep\",\"1000\"]}]";
        JsonObject _ = call(START, transientUnit("\"Service\":{" + sleep + "}}}"));
        assertThat(refused(START, transientUnit("\"Service\":{" + sleep + "}}}")))
                .contains("Unit.UnitExists");
        for (String[] each :
                new String[][] {
                    {"y.target\",\"Description\":\"y\"}", "Unit.UnitTypeNotSupported"},
                    {"y.scope\",\"Description\":\"y\"}", "Unit.UnitTypeNotSupported"},
                    {"y.service\",\"Service\":{\"Type\":\"simple\"}}", "Unit.BadUnitSetting"},
                    {
                        "y.service\",\"Service\":{\"ExecStart\":[{\"path\":\"\"}]}}",
                        "BadUnitSetting"
                    },
                    {
                        "y.service\",\"Exec\":{\"WorkingDirectory\":{\"path\":\"r\"}},\"Service\":{"
                                + TRUE
                                + "}}",
                        "Unit.BadUnitSetting"
                    },
                    {
                        "y.service\",\"Exec\":{\"Environment\":[\"no_variable\"]},\"Service\":{"
                                + TRUE
                                + "}}",
                        "Unit.BadUnitSetting"
                    },
                    {
                        "y.service\",\"Exec\":{\"SetCredential\":[{\"id\":\"b/d\",\"value\":\"YWJj\"}]},"
                                + "\"Service\":{"
                                + TRUE
                                + "}}",
                        "Unit.BadUnitSetting"
                    },
                    {
                        "y.service\",\"Exec\":{\"SetCredential\":[{\"id\":\"c\",\"value\":\"!\"}]},"
                                + "\"Service\":{"
                                + TRUE
                                + "}}",
                        "InvalidParameter"
                    },
                    {"y.slice\",\"Exec\":{\"User\":\"root\"}}", "Unit.UnitTypeNotSupported"},
                    {"y.service\",\"Socket\":{\"Backlog\":5}}", "Unit.UnitTypeNotSupported"},
                    {"y.service\",\"Names\":[\"z.service\"]}", "Unit.PropertyNotSupported"},
                    {"y.service\",\"Type\":\"service\"}", "Unit.PropertyNotSupported"},
                    {"y.service\",\"Unknown\":1}", "InvalidParameter"},
                    {"y\"}", "InvalidParameter"},
                }) {
            assertThat(refused(START, "{\"context\":{\"ID\":\"" + each[0] + "}"))
                    .as(each[0])
                    .contains(each[1]);
        }
        assertThat(stage.loaded()).containsExactly("x.service");
    }

    @Test
    void itsStandardStreamsAreDescriptorsOfTheCaller() throws Exception {
        Path output = Files.createFile(folder.resolve("output"));
        JsonObject request =
                Json.parse(
                                transientUnit(
                                        """
                                        "Service":{
                                          "Type":"oneshot",
                                          "StandardOutputFileDescriptor":0,
                                          "StandardErrorFileDescriptor":0,
                                          "ExecStart":[{"path":"/bin/sh",
                                            "arguments":["sh","-c","echo out; echo err >&2"]}]
                                        }},"notifyJobChanges":true}
                                        """))
                        .asObject();
        try (VarlinkClient client = VarlinkClient.connect("unix:" + socket);
                OpenedFile file = OpenedFile.open(output, OpenHow.writing().append());
                ReplyStream replies = client.more(START, request, List.of(file.fd()))) {
            while (replies.hasNext()) {
                replies.next().close();
            }
        }
        assertThat(output).hasContent("out\nerr\n");
    }

    @Test
    void aCallerThatLeavesEndsTheNotifications() throws Exception {
        JsonObject request =
                Json.parse(
                                transientUnit(
                                        "\"Service\":{\"Type\":\"oneshot\",\"ExecStart\":[{\"path\":"
                                                + "\"/bin/sleep\",\"arguments\":[\"sleep\",\"1000\"]}]}}"
                                                + ",\"notifyJobChanges\":true}"))
                        .asObject();
        try (VarlinkClient client = VarlinkClient.connect("unix:" + socket);
                ReplyStream replies = client.more(START, request)) {
            try (Reply first = replies.next()) {
                assertThat(first.parameters().object("job").string("State")).isEqualTo("waiting");
            }
        }
        assertThat(stage.state("x")).startsWith("activating/");
        assertThat(systemctl().expect(0, "stop", "x.service")).isEmpty();
    }

    // ---- jobs and the manager

    @Test
    void jobsAreListedAndCancelled() throws Exception {
        stage.service("slow", "Type=oneshot", "ExecStart=/bin/sleep 1000");
        stage.serviceWith("after", "After=slow.service", "ExecStart=/bin/sleep 1000");
        systemctl().expect(0, "start", "--no-block", "slow");
        systemctl().expect(0, "start", "--no-block", "after");
        List<JsonObject> jobs = more("io.systemd.Job.List", "{}");
        assertThat(jobs)
                .extracting(
                        job -> job.object("context").string("Unit"),
                        job -> job.object("runtime").string("State"))
                .containsExactly(
                        tuple("slow.service", "running"), tuple("after.service", "waiting"));
        long id = jobs.getLast().object("runtime").integer("Id");
        JsonObject one = call("io.systemd.Job.List", "{\"unit\":\"after.service\"}");
        assertThat(one.object("runtime").integer("Id")).isEqualTo(id);
        assertThat(unit("{\"name\":\"after.service\"}").object("runtime").integer("JobId"))
                .isEqualTo(id);
        JsonObject _ = call("io.systemd.Job.Cancel", "{\"id\":" + id + "}");
        assertThat(refused("io.systemd.Job.Cancel", "{\"id\":" + id + "}"))
                .contains("io.systemd.Job.NoSuchJob");
        assertThat(refused("io.systemd.Job.List", "{\"id\":" + id + "}")).contains("NoSuchJob");
        JsonObject _ = call("io.systemd.Job.ClearAll", "{}");
        assertThat(systemctl().expect(0, "list-jobs")).contains("No jobs running.");
    }

    @Test
    void theManagerDescribesItself() throws Exception {
        JsonObject all = call("io.systemd.Manager.Describe", "{}");
        assertThat(all.object("context").object("DefaultStartLimit"))
                .hasToString("{\"intervalUSec\":10000000,\"burst\":5}");
        assertThat(all.object("context").integer("DefaultTimeoutStartUSec")).isEqualTo(90_000_000);
        JsonObject runtime = all.object("runtime");
        assertThat(runtime.string("Version")).contains("holdfast");
        assertThat(runtime.string("SystemState")).isEqualTo("running");
        assertThat(runtime.strings("UnitPath")).contains(stage.unitFolder().toString());
        assertThat(runtime.object("UserspaceTimestamp").integer("realtime")).isPositive();
    }

    @Test
    void aReloadReadsTheFilesAgain() throws Exception {
        stage.start("a");
        stage.serviceWith("a", "Description=Another", "ExecStart=/bin/sleep 1000");
        assertThat(unit("{\"name\":\"a.service\"}").object("runtime").bool("NeedDaemonReload"))
                .isTrue();
        JsonObject _ = call("io.systemd.Manager.Reload", "{}");
        assertThat(context("a.service").string("Description")).isEqualTo("Another");
        assertThat(refused("io.systemd.Manager.PowerOff", "{}")).contains("MethodNotImplemented");
        for (String method : List.of("KExec", "SoftReboot")) {
            assertThat(refused("io.systemd.Manager." + method, "{}"))
                    .contains("io.systemd.Manager.NotSupported")
                    .contains("; use systemctl reboot for the container");
        }
        assertThat(refused("io.systemd.Manager.Reexecute", "{}"))
                .as("it has no keeper")
                .contains("io.systemd.System");
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void everybodyMayReadAndOnlyTheOwnerMayChange() throws Exception {
        stage.start("a");
        String transientUnit = transientUnit("\"Service\":{" + TRUE + "}}}");
        for (String[] each :
                new String[][] {
                    {"Unit.List", "{\"name\":\"a.service\"}", "\"ActiveState\":\"active\""},
                    {"Manager.Describe", "{}", "\"SystemState\""},
                    {"Unit.StartTransient", transientUnit, "PermissionDenied"},
                    {"Manager.Reload", "{}", "PermissionDenied"},
                    {"Manager.Reexecute", "{}", "PermissionDenied"},
                    {"Manager.EnqueueMarkedJobs", "{}", "PermissionDenied"},
                    {
                        "Unit.SetProperties",
                        "{\"name\":\"a.service\",\"runtime\":true,\"properties\":{\"Markers\":[]}}",
                        "PermissionDenied"
                    },
                    {"Job.Cancel", "{\"id\":1}", "PermissionDenied"},
                    {"Job.ClearAll", "{}", "PermissionDenied"},
                }) {
            List<String> command = new ArrayList<>(NOBODY);
            command.addAll(
                    List.of("varlinkctl", "call", "-j", socket, "io.systemd." + each[0], each[1]));
            Tool ran = Tool.run(Map.of(), command.toArray(String[]::new));
            assertThat(ran.output()).as(each[0]).contains(each[2]);
        }
        assertThatThrownBy(() -> stage.main("x")).isInstanceOf(RuntimeException.class);
    }
}
