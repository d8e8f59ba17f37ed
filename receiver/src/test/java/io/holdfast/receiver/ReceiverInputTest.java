package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.run.Run;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What service managers set for units, messages of the kernel, and what is wrong in messages. */
@Timeout(120)
class ReceiverInputTest {
    private static final String ID = "686a30b81ab84e00a7e384d45b3671fa";

    @TempDir private Path folder;
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private Receiver receiver;
    private List<String> refused = List.of();
    private Thread thread;

    @BeforeEach
    void open() throws Exception {
        Files.createDirectory(
                folder.resolve("units"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        begin(Optional.empty());
    }

    private void begin(Optional<Path> kernel) throws Exception {
        receiver =
                Receiver.open(
                        new ReceiverOptions(
                                folder.resolve("run"), folder.resolve("log"), true, warnings::add));
        if (kernel.isPresent()) {
            refused = receiver.receiveKernel(kernel.get());
        }
        thread = Thread.ofPlatform().start(receiver::run);
    }

    @AfterEach
    void close() throws Exception {
        receiver.stop();
        thread.join();
        receiver.close();
    }

    private UnixAddress at(String name) {
        return UnixAddress.path(folder.resolve("run").resolve(name));
    }

    private void send(String socket, String message) throws Exception {
        try (UnixSocket client = UnixSocket.connect(at(socket), SocketType.DATAGRAM)) {
            client.send(ByteBuffer.wrap(message.getBytes(UTF_8)));
        }
    }

    /** Writes lines to a stream that is of a unit. */
    private void stream(String unit, String lines) throws Exception {
        try (UnixSocket client = UnixSocket.connect(at("stdout"), SocketType.STREAM)) {
            client.sendFully(
                    ByteBuffer.wrap(
                            ("me\n" + unit + "\n30\n1\n0\n0\n0\n" + lines).getBytes(UTF_8)));
        }
    }

    private List<Entry> entries(String field, String value) throws Exception {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            reader.filter(Match.field(field, value));
            reader.seekHead();
            List<Entry> found = new ArrayList<>();
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                found.add(entry);
            }
            return found;
        }
    }

    private Entry await(String field, String value) {
        List<Entry> found = new ArrayList<>();
        Await.until(() -> {
            try {
                found.addAll(entries(field, value));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return !found.isEmpty();
        });
        return found.getFirst();
    }

    private List<String> messages(String field, String value) throws Exception {
        return entries(field, value).stream()
                .map(entry -> entry.text("MESSAGE").orElse(""))
                .toList();
    }

    // ---- settings of units

    private void set(String setting, String value) throws Exception {
        Path _ = Files.createSymbolicLink(folder.resolve("units").resolve(setting), Path.of(value));
    }

    @Test
    @Needs(
            root = true,
            programs = {"echo"})
    void theFirstLineOfARestartedUnitIsOfItsNewRun() throws Exception {
        set("invocation:x.service", ID);
        stream("x.service", "first\n");
        assertThat(await("MESSAGE", "first").text("_SYSTEMD_INVOCATION_ID")).contains(ID);
        Files.delete(folder.resolve("units").resolve("invocation:x.service"));
        String second = ID.replace('6', '7');
        set("invocation:x.service", second);
        say("x.service", "second");
        assertThat(await("MESSAGE", "second").text("_SYSTEMD_INVOCATION_ID")).contains(second);
        Files.delete(folder.resolve("units").resolve("invocation:x.service"));
        say("x.service", "third"); // it has ended: only the run of its process is not known
        assertThat(await("MESSAGE", "third").text("_SYSTEMD_INVOCATION_ID")).isEmpty();
    }

    @Test
    @Needs(root = true)
    void aLineThatIsReadAfterTheEndOfItsRunIsOfThatRun() throws Exception {
        set("invocation:x.service", ID.replace('6', '7'));
        stream("x.service " + ID, "late\n");
        Entry late = await("MESSAGE", "late");
        assertThat(late.text("_SYSTEMD_UNIT")).contains("x.service");
        assertThat(late.text("_SYSTEMD_INVOCATION_ID")).contains(ID);
    }

    /** Writes a line as a process of its own, whose output is a stream of the unit. */
    private void say(String unit, String line) throws Exception {
        try (UnixSocket client = UnixSocket.connect(at("stdout"), SocketType.STREAM)) {
            client.sendFully(
                    ByteBuffer.wrap(("me\n" + unit + "\n30\n1\n0\n0\n0\n").getBytes(UTF_8)));
            try (Child child =
                    Spawn.of("echo", line).stdout(Stdio.descriptor(client.fd())).start()) {
                assertThat(child.await().isSuccess()).isTrue();
            }
        }
    }

    @Test
    @Needs(root = true)
    void aUnitHasItsInvocationItsFieldsAndItsLevel() throws Exception {
        set("log-level-max:x.service", "4");
        Files.writeString(
                folder.resolve("units/log-extra-fields:x.service"), "\5\0\0\0\0\0\0\0OWN=1");
        set("invocation:x.service", ID);
        stream("x.service", "<6>unimportant\n<4>important\n<3>last\n");
        Entry entry = await("MESSAGE", "last");
        assertThat(entry.text("OWN")).contains("1");
        assertThat(entry.text("_SYSTEMD_INVOCATION_ID")).contains(ID);
        stream("y.service", "<6>of another\n");
        assertThat(await("MESSAGE", "of another").text("OWN")).isEmpty();
        assertThat(messages("_SYSTEMD_UNIT", "x.service")).containsExactly("important", "last");
    }

    @Test
    @Needs(root = true)
    void aUnitHasItsOwnRate() throws Exception {
        set("log-rate-limit-burst:x.service", "3");
        set("invocation:x.service", ID);
        stream("x.service", "1\n2\n3\n4\n5\n");
        stream("y.service", "1\n2\n3\n4\n5\nend\n");
        Entry _ = await("MESSAGE", "end");
        assertThat(messages("_SYSTEMD_UNIT", "x.service")).containsExactly("1", "2", "3");
        assertThat(entries("_SYSTEMD_UNIT", "y.service")).hasSize(6);
    }

    @Test
    @Needs(root = true)
    void aLargeMessageCountsAsSeveral() throws Exception {
        set("log-rate-limit-burst:x.service", "3");
        set("invocation:x.service", ID);
        stream("x.service", "x".repeat(40_000) + "\nsmall\n");
        stream("y.service", "end\n");
        Entry _ = await("MESSAGE", "end");
        assertThat(messages("_SYSTEMD_UNIT", "x.service")).hasSize(1);
    }

    @Test
    @Needs(root = true, cgroup2 = true, programs = "python3")
    void aMessageOfManyFieldsCountsAsSeveral() throws Exception {
        set("log-rate-limit-burst:x.service", "100");
        set("invocation:x.service", ID);
        sendNative(
                """
                for i in range(6):
                    s.send(b"MANY=1\\n" + b"".join(b"F%d=1\\n" % n for n in range(1000)))
                """);
        send("socket", "MESSAGE=end\n");
        Entry _ = await("MESSAGE", "end");
        assertThat(entries("MANY", "1")).hasSize(4);
    }

    @Test
    @Needs(root = true, cgroup2 = true, programs = "python3")
    void aMessageWithoutAFieldThatItsSenderMaySetCountsToo() throws Exception {
        set("log-rate-limit-burst:x.service", "100");
        set("invocation:x.service", ID);
        sendNative(
                """
                for i in range(100):
                    s.send(b"_A=1\\n")
                s.send(b"MESSAGE=late\\n")
                """);
        send("socket", "MESSAGE=end\n");
        Entry _ = await("MESSAGE", "end");
        assertThat(entries("MESSAGE", "late")).isEmpty();
    }

    /** Runs a script that sends native messages to {@code s} in the cgroup of x.service. */
    private void sendNative(String script) throws Exception {
        String begin =
                """
                import os, socket, sys
                with open(sys.argv[1], "w") as procs: procs.write(str(os.getpid()))
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.connect(sys.argv[2])
                """;
        try (Cgroup own = Cgroup.own();
                Cgroup slice = own.create("hfnative" + ProcessHandle.current().pid() + ".slice");
                Cgroup unit = slice.create("x.service")) {
            Path procs = Path.of(Cgroup.mountPoint(), unit.path().path(), "cgroup.procs");
            String socket = folder.resolve("run/socket").toString();
            Run run = Run.of("python3", "-c", begin + script, procs.toString(), socket);
            assertThat(run.mergeError().run().output()).isEmpty();
            unit.remove();
            slice.remove();
        }
    }

    @Test
    @Needs(root = true)
    void settingsInAFolderOfOthersAreNotRead() throws Exception {
        set("log-level-max:x.service", "0");
        set("invocation:x.service", ID);
        Files.setPosixFilePermissions(
                folder.resolve("units"), PosixFilePermissions.fromString("rwxrwxrwx"));
        stream("x.service", "heard\n");
        assertThat(await("MESSAGE", "heard").text("_SYSTEMD_INVOCATION_ID")).isEmpty();
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void patternsOfTheSendersCgroupFilterItsMessages() throws Exception {
        try (Cgroup own = Cgroup.own();
                Cgroup slice = own.create("hflog" + ProcessHandle.current().pid() + ".slice");
                Cgroup unit = slice.create("x.service")) {
            try (Fd opened = Fcntl.open(unit.fd(), ".", Fcntl.O_RDONLY, 0)) {
                byte[] patterns = {'g', 'o', 'o', 'd', (byte) 0xff, 'b', 'a', 'd', '.'};
                int result = SysXattr.set(opened, "user.journald_log_filter_patterns", patterns);
                assertThat(result).isZero();
            }
            String python =
                    """
                    import os, socket, sys
                    with open(sys.argv[1], "w") as procs: procs.write(str(os.getpid()))
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    for text in ("good", "neither", "good bad!"):
                        s.sendto(b"<13>filtered: " + text.encode(), sys.argv[2])
                    """;
            Path procs = Path.of(Cgroup.mountPoint(), unit.path().path(), "cgroup.procs");
            assertThat(
                            Run.of(
                                            "python3",
                                            "-c",
                                            python,
                                            procs.toString(),
                                            folder.resolve("run/dev-log").toString())
                                    .mergeError()
                                    .run()
                                    .output())
                    .isEmpty();
            send("dev-log", "<13>end: end");
            Entry _ = await("MESSAGE", "end");
            assertThat(messages("SYSLOG_IDENTIFIER", "filtered")).containsExactly("good");
            unit.remove();
            slice.remove();
        }
    }

    // ---- the kernel

    @Test
    @Needs(root = true)
    void messagesOfTheKernelAreStoredOnceAcrossARestart() throws Exception {
        Path log = Path.of("/dev/kmsg");
        assumeTrue(Files.isWritable(log), "needs /dev/kmsg");
        close();
        String mark = "hfkernel" + ProcessHandle.current().pid() + "-" + System.nanoTime();
        Files.writeString(log, "<30>" + mark + "[7]: " + mark + "first\n");
        begin(Optional.of(log));
        Entry first = await("SYSLOG_IDENTIFIER", mark);
        assertThat(first.text("MESSAGE")).contains(mark + "first");
        assertThat(first.text("_TRANSPORT")).contains("kernel");
        assertThat(first.text("PRIORITY")).contains("6");
        assertThat(first.text("_SOURCE_MONOTONIC_TIMESTAMP")).isPresent();
        assertThat(first.text("_PID")).isEmpty();
        close();
        Files.writeString(log, "<30>" + mark + "[7]: " + mark + "second\n");
        begin(Optional.of(log));
        Entry _ = await("MESSAGE", mark + "second");
        Files.writeString(log, "<30>" + mark + "[7]: " + mark + "third\n");
        Entry _ = await("MESSAGE", mark + "third");
        assertThat(messages("SYSLOG_IDENTIFIER", mark))
                .containsExactly(mark + "first", mark + "second", mark + "third");
    }

    @Test
    void aKernelThatMayNotBeReadIsSaidAndStopsNobody() throws Exception {
        close();
        begin(Optional.of(folder.resolve("kmsg")));
        assertThat(refused)
                .anyMatch(line -> line.contains("messages of the kernel are not received"));
        send("dev-log", "<13>me: heard");
        Entry _ = await("MESSAGE", "heard");
        assertThat(warnings).isEmpty();
    }

    // ---- large and bad input

    @Test
    @Needs(root = true)
    void aLargeNativeMessageKeepsAllOfItsFields() throws Exception {
        int size = 1 << 20;
        byte[] message = ("MESSAGE=large\nX=" + "x".repeat(size) + "\nLAST=1\n").getBytes(UTF_8);
        try (UnixSocket client = UnixSocket.connect(at("socket"), SocketType.DATAGRAM)) {
            int result =
                    SysSocket.setOption(client.fd(), SysSocket.SO_SNDBUFFORCE, 2 * message.length);
            assertThat(result).isZero();
            client.send(ByteBuffer.wrap(message));
        }
        Entry entry = await("MESSAGE", "large");
        assertThat(entry.text("X").orElseThrow()).hasSize(size);
        assertThat(entry.text("LAST")).contains("1");
    }

    @Test
    void bytesThatAreNoTextAreKept() throws Exception {
        byte[] text = "<13>me: \u001b[31m \1 \u00ff\u00fe".getBytes(ISO_8859_1);
        try (UnixSocket client = UnixSocket.connect(at("dev-log"), SocketType.DATAGRAM)) {
            client.send(ByteBuffer.wrap(text));
        }
        Entry entry = await("SYSLOG_IDENTIFIER", "me");
        assertThat(entry.field("MESSAGE").orElseThrow().value())
                .isEqualTo(Arrays.copyOfRange(text, 8, text.length));
    }

    @Test
    void aFieldWithAWrongNameOrLengthCostsNobodyElse() throws Exception {
        String bad = "bad name=1\n=2\n_TRUSTED=3\n9=4\nlower=5\nMESSAGE=kept\n";
        send("socket", bad);
        Entry kept = await("MESSAGE", "kept");
        assertThat(kept.text("_TRUSTED")).isEmpty();
        assertThat(kept.text("lower")).isEmpty();
        send("socket", "MESSAGE\n\377\377\377\377\377\377\377\177x");
        send("socket", "MESSAGE=heard\n");
        Entry _ = await("MESSAGE", "heard");
    }

    @Test
    void aNulEndsALineOfAStreamAndStaysInAMessageOfSyslog() throws Exception {
        stream("", "before\0after\n");
        assertThat(await("MESSAGE", "before").text("_LINE_BREAK")).contains("nul");
        Entry _ = await("MESSAGE", "after");
        send("dev-log", "<13>me: with\0nul");
        Entry _ = await("MESSAGE", "with\0nul");
    }

    @Test
    void aLineOf100MegabytesIsCutAndTheNextSenderIsHeard() throws Exception {
        int pieces = 100;
        byte[] piece = "x".repeat(1 << 20).getBytes(UTF_8);
        try (UnixSocket client = UnixSocket.connect(at("stdout"), SocketType.STREAM)) {
            client.sendFully(ByteBuffer.wrap("long\n\n30\n1\n0\n0\n0\n".getBytes(UTF_8)));
            Thread other =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    send("dev-log", "<13>innocent: heard");
                                } catch (Exception e) {
                                    warnings.add(e.toString());
                                }
                            });
            for (int i = 0; i < pieces; i++) {
                client.sendFully(ByteBuffer.wrap(piece));
            }
            other.join();
        }
        Entry _ = await("SYSLOG_IDENTIFIER", "innocent");
        Await.until(() -> {
            try {
                return entries("_LINE_BREAK", "eof").size() == 1;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        int line = ReceiverLimits.LINE.intValue();
        long bytes =
                entries("SYSLOG_IDENTIFIER", "long").stream()
                        .mapToLong(entry -> entry.field("MESSAGE").orElseThrow().size())
                        .peek(length -> assertThat(length).isLessThanOrEqualTo(line))
                        .sum();
        assertThat(bytes).isLessThanOrEqualTo((long) pieces << 20);
        assertThat(warnings).isEmpty();
    }
}
