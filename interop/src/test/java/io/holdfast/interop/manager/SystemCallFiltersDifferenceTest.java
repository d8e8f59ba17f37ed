package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.FilterMachine;
import io.holdfast.core.testkit.FilterMachine.Call;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that processes of our services have filters of system calls that decide as those of the
 * real systemd, for each group and for random lists. {@code SystemCallRulesTest} does the same with
 * recorded filters, and needs no systemd.
 */
@Timeout(1200)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "systemctl",
            "systemd-analyze",
            "unshare",
            "nsenter",
            "mount",
            "timeout",
            "awk",
            "python3",
            "gcc"
        })
class SystemCallFiltersDifferenceTest {
    private static final int RANDOM_LISTS = 100;
    private static final int LISTS_OF_A_CASE = 20;
    private static final int HIGHEST_CALL = 550;
    private static final int X32_BIT = 0x4000_0000;

    /** Those of linux/audit.h: x86-64, x86, ARM and AArch64. */
    private static final int[] ARCHITECTURES = {0xc000_003e, 0x4000_0003, 0x4000_0028, 0xc000_00b7};

    /** The calls that systemd makes after it has installed the filters. */
    private static final String NEEDED = "execve close";

    private static final String PROGRAM_LINE = "filter ";

    /** Makes no system call, so that no filter can end it. */
    private static final String PROGRAM = "void _start(void) { for (;;) { } }";

    @TempDir private Path folder;
    private Path shared;
    private Path program;

    @BeforeEach
    void makeTheProgram() throws Exception {
        shared = Files.createDirectory(folder.toRealPath().resolve("shared"));
        Path _ = Files.writeString(shared.resolve("filters.py"), CaseFiles.resource("filters.py"));
        program = shared.resolve("wait");
        Path source = Files.writeString(folder.resolve("wait.c"), PROGRAM);
        String said =
                Shell.run(
                        List.of(
                                "gcc",
                                "-nostdlib",
                                "-static",
                                source.toString(),
                                "-o",
                                program.toString()));
        assertThat(program).as(said).exists();
    }

    /** Returns the names of all groups and system calls. */
    private static List<String> words() throws Exception {
        return Shell.run(List.of("systemd-analyze", "syscall-filter", "--no-pager"))
                .lines()
                .map(String::strip)
                .filter(line -> line.matches("@?[a-z0-9_-]+"))
                .distinct()
                .toList();
    }

    /** Returns what a service may have besides its command, one directive in a line. */
    private static List<String> lists(List<String> words, Gen gen) {
        List<String> lists = new ArrayList<>();
        for (String word : words) {
            if (word.startsWith("@")) {
                lists.add("SystemCallFilter=" + word);
                lists.add("SystemCallFilter=~" + word);
            }
        }
        for (int i = 0; i < RANDOM_LISTS; i++) {
            lists.add(randomList(words, gen));
        }
        return lists;
    }

    private static String randomList(List<String> words, Gen gen) {
        StringBuilder list = new StringBuilder();
        for (int line = gen.between(1, 3); line > 0; line--) {
            list.append("SystemCallFilter=").append(gen.chance(0.4) ? "~" : "");
            for (int word = gen.between(1, 8); word > 0; word--) {
                String error =
                        gen.oneOf("", "", "", ":EPERM", ":ENOSYS", ":EUCLEAN", ":13", ":kill");
                list.append(gen.oneOf(words)).append(error).append(word > 1 ? " " : "\n");
            }
        }
        list.append(gen.oneOf("", "SystemCallErrorNumber=EPERM\n", "SystemCallErrorNumber=EDOM\n"));
        return list
                + gen.oneOf(
                        "",
                        "SystemCallArchitectures=native",
                        "SystemCallArchitectures=native x86",
                        "SystemCallArchitectures=native x86 x32");
    }

    /** Returns a case that starts a service for each list, and prints the filters it has. */
    private UnitCase oneCase(List<String> lists) {
        Map<String, String> units = new LinkedHashMap<>();
        List<String> commands = new ArrayList<>();
        for (String list : lists) {
            String name = "filtered" + units.size();
            units.put(
                    name + ".service",
                    "[Service]\nType=exec\nExecStart=%s\n%s\nSystemCallFilter=%s\n"
                            .formatted(program, list, NEEDED));
            commands.add(
                    "systemctl start %1$s && python3 %2$s/filters.py $(systemctl show -P MainPID %1$s) && systemctl stop %1$s"
                            .formatted(name, shared));
        }
        return new UnitCase("", "filters", units, commands, "");
    }

    /** Returns the filters of each service; none of one that does not start. */
    private static List<List<byte[]>> filters(String transcript) {
        List<List<byte[]>> filters = new ArrayList<>();
        for (String line : transcript.lines().toList()) {
            if (line.startsWith("$ ")) {
                filters.add(new ArrayList<>());
            } else if (line.startsWith(PROGRAM_LINE)) {
                String program = line.substring(PROGRAM_LINE.length());
                filters.getLast().add(Base64.getDecoder().decode(program));
            }
        }
        return filters;
    }

    private static void assertSame(String list, List<byte[]> ours, List<byte[]> theirs) {
        assertThat(ours).as(list).isNotEmpty();
        for (int architecture : ARCHITECTURES) {
            for (int number = -1; number <= HIGHEST_CALL; number++) {
                assertSame(list, ours, theirs, new Call(architecture, number));
                assertSame(list, ours, theirs, new Call(architecture, number | X32_BIT));
            }
        }
    }

    private static void assertSame(String list, List<byte[]> ours, List<byte[]> theirs, Call call) {
        int expected = FilterMachine.answer(theirs, call);
        int actual = FilterMachine.answer(ours, call);
        if (expected != actual) { // an assertion for each call would take long
            assertThat(Integer.toHexString(actual))
                    .as("%s: %s", list, call)
                    .isEqualTo(Integer.toHexString(expected));
        }
    }

    @Test
    void aServiceHasTheFiltersThatItHasWithSystemd() throws Exception {
        Gen gen = new Gen(Long.getLong("holdfast.seed", new Random().nextLong()));
        IO.println(gen);
        List<String> lists = lists(words(), gen);
        assertThat(lists).hasSizeGreaterThan(RANDOM_LISTS + 50);
        List<String> notStarted = new ArrayList<>();
        Path container = Files.createDirectory(folder.resolve("systemd"));
        try (SystemdContainer systemd = SystemdContainer.boot(container, shared)) {
            for (int from = 0; from < lists.size(); from += LISTS_OF_A_CASE) {
                int to = Math.min(lists.size(), from + LISTS_OF_A_CASE);
                UnitCase one = oneCase(lists.subList(from, to));
                List<List<byte[]>> theirs = filters(systemd.transcript(one));
                Path ourFolder = Files.createDirectory(folder.resolve("holdfast" + from));
                List<List<byte[]>> ours =
                        filters(HoldfastManager.transcript(one, ourFolder, CaseFolder.FEW_POLLS));
                assertThat(theirs).hasSize(to - from);
                assertThat(ours).hasSize(to - from);
                for (int i = from; i < to; i++) {
                    if (theirs.get(i - from).isEmpty()) {
                        notStarted.add(lists.get(i));
                    } else {
                        assertSame(lists.get(i), ours.get(i - from), theirs.get(i - from));
                    }
                }
            }
        }
        assertThat(notStarted)
                .as("lists with which systemd starts nothing, as they forbid what it needs")
                .hasSizeLessThan(RANDOM_LISTS / 4)
                .noneMatch(list -> list.startsWith("SystemCallFilter=@") && !list.contains(" "))
                .noneMatch(list -> list.startsWith("SystemCallFilter=~@") && !list.contains(" "));
    }
}
