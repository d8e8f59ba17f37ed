package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A child has the descriptors that it was given, under their numbers, and no others. */
@Timeout(60)
class SpawnDescriptorsTest {
    /** Prints the open descriptors, except that of the directory that it reads. */
    private static final String LIST =
            "opendir(my $d, '/proc/self/fd') or die; "
                    + "for (sort { $a <=> $b } grep { /\\d/ } readdir $d) { "
                    + "my $t = readlink \"/proc/self/fd/$_\"; "
                    + "print \"$_ $t\\n\" unless $t =~ m{^/proc/\\d+/fd$} }";

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    /** Returns the descriptors, by number, that a child has open beyond its standard streams. */
    private static Map<Integer, String> found(Spawn spawn) throws Exception {
        Map<Integer, String> found = new TreeMap<>();
        for (String line : SpawnTest.output(spawn).split("\n")) {
            String[] words = line.split(" ", 2);
            if (Integer.parseInt(words[0]) > 2) {
                found.put(Integer.parseInt(words[0]), words[1]);
            }
        }
        return found;
    }

    private static Spawn list() {
        return Spawn.of("perl", "-e", LIST).stdin(Stdio.devNull());
    }

    private Fd file(String name) throws Exception {
        Path path = folder.resolve(name);
        if (!Files.exists(path)) {
            Files.createFile(path);
        }
        return Fcntl.open(path.toString(), Fcntl.O_RDONLY);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private static int numberOf(Fd fd) {
        return fd.with(n -> n);
    }

    /** Opens the file of a descriptor again under a number, which must be free. */
    private static Fd under(Fd fd, int number) {
        String path = fd.with(n -> "/proc/self/fd/" + n);
        List<Fd> lower = new ArrayList<>();
        try {
            for (; ; ) {
                Fd next = Fcntl.open(path, Fcntl.O_RDONLY);
                if (numberOf(next) == number) {
                    return next;
                }
                assertThat(numberOf(next)).as("%d is taken", number).isLessThan(number);
                lower.add(next);
            }
        } finally {
            lower.forEach(Fd::close);
        }
    }

    @Test
    void withoutAnyGivenNothingElseIsOpenThoughMuchIsInheritable() throws Exception {
        Path inherited = Files.createFile(folder.resolve("inherited"));
        // files that the JDK opens are not close-on-exec
        try (FileInputStream first = new FileInputStream(inherited.toFile());
                FileInputStream second = new FileInputStream(inherited.toFile())) {
            assertThat(first.available() + second.available()).isZero();
            assertThat(found(list())).isEmpty();
            assertThat(found(list().directory(folder))).isEmpty();
            assertThat(found(list().newSession().umask(022))).isEmpty();
            assertThat(found(list().environmentOfPid("LISTEN_PID"))).isEmpty();
            assertThat(found(list().whileHeld(child -> assertThat(child.pid()).isPositive())))
                    .isEmpty();
        }
    }

    @Test
    void eachIsUnderItsNumberAndGapsAreClosed() throws Exception {
        try (Fd a = file("a");
                Fd b = file("b");
                Fd c = file("c");
                FileInputStream inheritable = new FileInputStream(path("a"))) {
            assertThat(inheritable.available()).isZero();
            assertThat(found(list().descriptor(3, a).descriptor(9, b).descriptor(200, c)))
                    .isEqualTo(Map.of(3, path("a"), 9, path("b"), 200, path("c")));
            assertThat(found(list().descriptor(3, a).descriptor(4, a).descriptor(5, a)))
                    .isEqualTo(Map.of(3, path("a"), 4, path("a"), 5, path("a")));
            assertThat(a.isOpen() && b.isOpen() && c.isOpen()).isTrue();
        }
    }

    @Test
    void theOrderOfTheirNumbersHereDoesNotMatter() throws Exception {
        try (Fd a = file("a");
                Fd b = file("b");
                Fd c = file("c")) {
            int base = 300;
            try (Fd x = under(a, base);
                    Fd y = under(b, base + 1);
                    Fd z = under(c, base + 2)) {
                assertThat(found(list().descriptor(base, y).descriptor(base + 1, x)))
                        .as("swapped")
                        .isEqualTo(Map.of(base, path("b"), base + 1, path("a")));
                assertThat(
                                found(
                                        list().descriptor(base, y)
                                                .descriptor(base + 1, z)
                                                .descriptor(base + 2, x)))
                        .as("rotated")
                        .isEqualTo(
                                Map.of(base, path("b"), base + 1, path("c"), base + 2, path("a")));
                assertThat(found(list().descriptor(base, x).descriptor(base + 1, y)))
                        .as("in place")
                        .isEqualTo(Map.of(base, path("a"), base + 1, path("b")));
                assertThat(found(list().descriptor(3, z).descriptor(base + 5, x)))
                        .as("from a gap")
                        .isEqualTo(Map.of(3, path("c"), base + 5, path("a")));
                assertThat(found(list().descriptor(base + 2, x).environmentOfPid("PID")))
                        .as("held")
                        .isEqualTo(Map.of(base + 2, path("a")));
                assertThat(found(list().descriptor(base - 1, x).environmentOfPid("PID")))
                        .as("held, just below a source")
                        .isEqualTo(Map.of(base - 1, path("a")));
            }
        }
    }

    @Test
    void standardStreamsCanComeFromAnyNumberToo() throws Exception {
        Files.writeString(folder.resolve("a"), "from a file\n");
        try (Fd a = file("a")) {
            assertThat(
                            SpawnTest.output(
                                    Spawn.of("cat", "-", "/proc/self/fd/3")
                                            .stdin(Stdio.descriptor(a))
                                            .descriptor(3, a)))
                    .startsWith("from a file\n");
        }
    }

    @Test
    void anImpossibleNumberIsRefused() throws Exception {
        try (Fd a = file("a")) {
            for (int number : new int[] {-1, 0, 2, Spawn.MAX_DESCRIPTOR + 1}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> Spawn.of("true").descriptor(number, a))
                        .withMessageContaining(Integer.toString(number));
            }
            assertThat(found(list().descriptor(Spawn.MAX_DESCRIPTOR, a)))
                    .isEqualTo(Map.of(Spawn.MAX_DESCRIPTOR, path("a")));
        }
    }

    @Test
    void aClosedDescriptorIsNotGiven() throws Exception {
        Fd closed = file("a");
        closed.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> Spawn.of("true").descriptor(3, closed).start());
        assertThatIllegalStateException()
                .isThrownBy(() -> Spawn.of("true").stdin(Stdio.descriptor(closed)).start());
    }

    @Test
    void parallelChildrenDoNotGetEachOthersPipes() throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<String> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < 8; t++) {
            threads.add(
                    Thread.startVirtualThread(() -> {
                        for (int i = 0; i < 5; i++) {
                            try {
                                Map<Integer, String> found = found(list().stderr(Stdio.pipe()));
                                if (!found.isEmpty()) {
                                    wrong.add(found.toString());
                                }
                            } catch (Exception | AssertionError e) {
                                wrong.add(e.toString());
                            }
                        }
                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void theLastHolderOfAPipeIsTheChild() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Child child =
                        Spawn.of("cat")
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.devNull())
                                .descriptor(5, pipe[1])
                                .start()) {
            pipe[1].close();
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            assertThat(Unistd.read(in, new byte[1], 0, 1)).as("the end").isZero();
        }
    }
}
