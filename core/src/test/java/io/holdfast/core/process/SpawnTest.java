package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The properties that a child is started with. */
@Timeout(60)
class SpawnTest {
    private static final Exit SUCCESS = new Exit.Exited(0);

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    /** Returns the output of a child, which must succeed. */
    static String output(Spawn spawn) throws Exception {
        try (Child child = spawn.stdout(Stdio.pipe()).start()) {
            String said = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.await()).as(said).isEqualTo(SUCCESS);
            return said;
        }
    }

    private static List<String> words(String output) {
        return List.of(output.split("\0"));
    }

    @Test
    void argumentsArriveAsTheyAre() throws Exception {
        assertThat(
                        words(
                                output(
                                        Spawn.of(
                                                "sh",
                                                "-c",
                                                "printf '%s\\0' \"$0\" \"$@\"",
                                                "zero",
                                                "",
                                                "two words",
                                                "*",
                                                "ü€\n",
                                                "-x"))))
                .containsExactly("zero", "", "two words", "*", "ü€\n", "-x");
        assertThat(output(Spawn.of(List.of("echo", "a")).arguments(List.of("b", "c"))))
                .isEqualTo("a b c\n");
        assertThatIllegalArgumentException().isThrownBy(() -> Spawn.of(List.of()));
    }

    @Test
    void aProgramMayGetAnotherName() throws Exception {
        String line = "tr '\\0' ' ' </proc/$$/cmdline";
        assertThat(output(Spawn.of("sh", "-c", line).argumentZero("-login")))
                .startsWith("-login -c ");
        assertThat(output(Spawn.of("sh", "-c", line))).startsWith("sh -c ");
    }

    @Test
    void oneDescriptionStartsManyChildren() throws Exception {
        Spawn echo = Spawn.of("echo", "again");
        for (int i = 0; i < 3; i++) {
            assertThat(output(echo)).isEqualTo("again\n");
        }
    }

    private static Map<String, String> environmentOf(Spawn spawn) throws Exception {
        Map<String, String> environment = new HashMap<>();
        for (String entry : words(output(spawn.arguments(List.of("-0"))))) {
            int equals = entry.indexOf('=');
            environment.put(entry.substring(0, equals), entry.substring(equals + 1));
        }
        return environment;
    }

    @Test
    void theEnvironmentIsOursUnlessSaidOtherwise() throws Exception {
        assertThat(environmentOf(Spawn.of("env"))).isEqualTo(System.getenv());
        Map<String, String> expected = new HashMap<>(System.getenv());
        expected.put("ADDED", "a=b\nc");
        expected.remove("PATH");
        assertThat(
                        environmentOf(
                                Spawn.of("env")
                                        .environment("ADDED", "a=b\nc")
                                        .withoutEnvironment("PATH")))
                .isEqualTo(expected);
    }

    @Test
    void aWholeEnvironmentIsExactlyThat() throws Exception {
        Map<String, String> whole = Map.of("A", "1", "B", "", "Ü", "€");
        assertThat(environmentOf(Spawn.of("env").environment(whole))).isEqualTo(whole);
        assertThat(output(Spawn.of("env").environment(Map.of()))).isEmpty();
    }

    @Test
    void whatIsNoVariableIsRefused() {
        for (String name : new String[] {"", "A=B", "A\0B"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Spawn.of("env").environment(name, "value"));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Spawn.of("env").environment(Map.of(name, "value")));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Spawn.of("env").environmentOfPid(name));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spawn.of("env").environment("NAME", "a\0b"))
                .withMessageContaining("NAME");
    }

    @Test
    void itsOwnNumberStandsInAVariable() throws Exception {
        String said =
                output(
                        Spawn.of("sh", "-c", "echo $$ $LISTEN_PID $OTHER")
                                .environment("OTHER", "other")
                                .environment("LISTEN_PID", "overwritten")
                                .environmentOfPid("LISTEN_PID"));
        String[] words = said.strip().split(" ");
        assertThat(words[1]).isEqualTo(words[0]);
        assertThat(words[2]).isEqualTo("other");
    }

    @Test
    void severalVariablesHoldItsNumber() throws Exception {
        Spawn spawn =
                Spawn.of("sh", "-c", "echo $$ $LISTEN_PID $WATCHDOG_PID")
                        .environmentOfPid("LISTEN_PID")
                        .environmentOfPid("WATCHDOG_PID");
        assertThat(output(spawn)).matches("([0-9]+) \\1 \\1\n");
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void itsIdentityStandsInAVariable() throws Exception {
        try (Child child =
                Spawn.of("sh", "-c", "echo $ID $PID; read x")
                        .environmentOfId("ID")
                        .environmentOfPid("PID")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            byte[] line = new byte[100];
            int n = child.stdout().read(line);
            assertThat(new String(line, 0, n, StandardCharsets.UTF_8))
                    .isEqualTo(
                            Long.toUnsignedString(child.pidFd().id())
                                    + " "
                                    + child.pidFd().pid()
                                    + "\n");
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(1));
        }
    }

    @Test
    void itStartsInTheGivenDirectory() throws Exception {
        assertThat(output(Spawn.of("pwd", "-P")).strip())
                .isEqualTo(Path.of("").toRealPath().toString());
        assertThat(output(Spawn.of("pwd", "-P").directory(folder)).strip())
                .isEqualTo(folder.toRealPath().toString());
    }

    @Test
    void aRelativeProgramIsFoundFromHereAndNotFromTheChildsDirectory() throws Exception {
        Path script = Files.writeString(folder.resolve("script"), "#!/bin/sh\nexec pwd -P\n");
        assertThat(script.toFile().setExecutable(true)).isTrue();
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        String relative = Path.of("").toAbsolutePath().relativize(script).toString();
        assertThat(output(Spawn.of(relative).directory(elsewhere)).strip())
                .isEqualTo(elsewhere.toRealPath().toString());
    }

    @Test
    void standardStreamsAreFilesPipesNullOrGiven() throws Exception {
        Path file = folder.resolve("file");
        try (Child child =
                Spawn.of("sh", "-c", "echo out; echo err >&2")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.to(file))
                        .stderr(Stdio.merged())
                        .start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
        assertThat(file).hasContent("out\nerr\n");
        try (Child child = Spawn.of("echo", "more").stdout(Stdio.appendTo(file)).start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
        assertThat(file).hasContent("out\nerr\nmore\n");
        assertThat(output(Spawn.of("cat").stdin(Stdio.from(file)))).isEqualTo("out\nerr\nmore\n");
        try (Child child = Spawn.of("echo", "less").stdout(Stdio.to(file)).start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
        assertThat(file).hasContent("less\n");
        assertThat(output(Spawn.of("cat").stdin(Stdio.devNull()))).isEmpty();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Child child =
                        Spawn.of("sh", "-c", "echo given >&2")
                                .stderr(Stdio.descriptor(out))
                                .stdout(Stdio.devNull())
                                .start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
            byte[] got = new byte[100];
            assertThat(Unistd.read(in, got, 0, got.length)).isEqualTo(6);
        }
    }

    @Test
    void outputAndErrorArriveApartOrMerged() throws Exception {
        try (Child child =
                Spawn.of("sh", "-c", "echo out; echo err >&2")
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.pipe())
                        .start()) {
            assertThat(child.stdout().readAllBytes()).asString().isEqualTo("out\n");
            assertThat(child.stderr().readAllBytes()).asString().isEqualTo("err\n");
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
        assertThat(output(Spawn.of("sh", "-c", "echo out; echo err >&2").stderr(Stdio.merged())))
                .isEqualTo("out\nerr\n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spawn.of("true").stdout(Stdio.merged()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spawn.of("true").stdin(Stdio.merged()));
    }

    /** Returns the fields of /proc/PID/stat after the name: state, parent, group, session, … */
    private static List<String> stat(Spawn spawn) throws Exception {
        String stat = output(spawn);
        return Arrays.asList(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
    }

    @Test
    void aSessionAndAGroupOfItsOwnAreMadeOnRequest() throws Exception {
        String[] cat = {"-c", "echo $$ \"$(cat /proc/$$/stat)\""};
        List<String> plain = stat(Spawn.of("sh", cat));
        String self = Files.readString(Path.of("/proc/self/stat"));
        List<String> ours = Arrays.asList(self.substring(self.lastIndexOf(')') + 2).split(" "));
        assertThat(plain.subList(2, 4)).isEqualTo(ours.subList(2, 4));
        assertThat(plain.get(1)).isEqualTo("" + ProcessHandle.current().pid());

        try (Child child = cat().newSession().start()) {
            int number = child.pidFd().pid();
            assertThat(child.pidFd().proc().session()).isEqualTo(number);
            end(child);
        }
        try (Child child = cat().newSession().newProcessGroup().start()) {
            int number = child.pidFd().pid();
            assertThat(child.pidFd().proc().session()).isEqualTo(number);
            end(child);
        }
        List<String> group = stat(Spawn.of("sh", cat).newProcessGroup());
        assertThat(group.get(3)).isEqualTo(ours.get(3));
        assertThat(group.get(2)).isNotEqualTo(ours.get(2));
    }

    private static Spawn cat() {
        return Spawn.of("cat").stdin(Stdio.pipe()).stdout(Stdio.devNull());
    }

    private static void end(Child child) throws InterruptedException {
        assertThat(child.signal(Signal.KILL)).isTrue();
        assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
    }

    @Test
    void umaskNiceAndNoNewPrivilegesAreTheChildsAlone() throws Exception {
        String ours = Files.readString(Path.of("/proc/self/status"));
        int niceness = niceness(Files.readString(Path.of("/proc/self/stat")));
        String status = output(Spawn.of("cat", "/proc/self/status").umask(0123).noNewPrivileges());
        assertThat(status).contains("\nUmask:\t0123\n").contains("\nNoNewPrivs:\t1\n");
        int nice = Math.min(19, niceness + 3);
        assertThat(niceness(output(Spawn.of("cat", "/proc/self/stat").nice(nice)))).isEqualTo(nice);

        String now = Files.readString(Path.of("/proc/self/status"));
        for (String key : List.of("Umask", "NoNewPrivs")) {
            assertThat(field(now, key)).isEqualTo(field(ours, key));
        }
        String plain = output(Spawn.of("cat", "/proc/self/status"));
        assertThat(field(plain, "Umask")).isEqualTo(field(ours, "Umask"));
        assertThat(field(plain, "NoNewPrivs")).isEqualTo(field(ours, "NoNewPrivs"));
        assertThat(niceness(output(Spawn.of("cat", "/proc/self/stat")))).isEqualTo(niceness);
    }

    private static int niceness(String stat) {
        return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
    }

    private static String field(String status, String key) {
        return Proc.field(status, key);
    }

    @Test
    void anImpossibleUmaskOrNicenessIsRefused() {
        for (int mask : new int[] {-1, 01000, 07777}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Spawn.of("true").umask(mask));
        }
        for (int nice : new int[] {-21, 20}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Spawn.of("true").nice(nice))
                    .withMessageContaining(Integer.toString(nice));
        }
    }

    @Test
    void virtualThreadsStartChildrenToo() throws Exception {
        for (Spawn spawn :
                List.of(
                        Spawn.of("echo", "ran"),
                        Spawn.of("echo", "ran").umask(022),
                        Spawn.of("echo", "ran").environmentOfPid("PID"))) {
            FutureTask<String> task = new FutureTask<>(() -> output(spawn));
            Thread.startVirtualThread(task);
            assertThat(task.get()).isEqualTo("ran\n");
        }
    }

    @Test
    void theChildIsHeldFromItsBirthAndIsOurs() throws Exception {
        try (Child child = cat().start();
                PidFd self = PidFd.self();
                PidFd parent = child.pidFd().parent().orElseThrow()) {
            assertThat(parent).isEqualTo(self);
            assertThat(child.pidFd().isChild()).isTrue();
            assertThat(child.exit()).isEmpty();
            assertThat(child).hasToString(child.pidFd().toString());
            end(child);
            assertThat(child.exit()).contains(new Exit.Killed(Signal.KILL, false));
            assertThat(child.pidFd().state()).isEqualTo(PidFd.State.REAPED);
        }
    }

    @Test
    void itCoexistsWithProcessBuilder() throws Exception {
        try (ForeignParent unrelated = ForeignParent.start()) {
            for (int i = 0; i < 20; i++) {
                Process javas = new ProcessBuilder("sh", "-c", "exit 3").start();
                try (Child ours = Spawn.of("sh", "-c", "exit 4").start()) {
                    assertThat(javas.waitFor()).isEqualTo(3);
                    assertThat(ours.await()).isEqualTo(new Exit.Exited(4));
                }
            }
            assertThat(unrelated.pid()).isPositive();
        }
    }

    @Test
    void argumentsOfEveryLengthArePassed() throws Exception {
        for (int length : new int[] {10, 8_000, 9_000, 100_000}) {
            String word = "x".repeat(length);
            assertThat(output(Spawn.of("echo", word)).strip()).isEqualTo(word);
        }
    }
}
