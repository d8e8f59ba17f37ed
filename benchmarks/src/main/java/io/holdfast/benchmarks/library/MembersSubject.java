package io.holdfast.benchmarks.library;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The two ways of {@link MembersRow} to list the processes in a cgroup. */
final class MembersSubject {
    /** What was read about a process by its PID, which may be another process's by now. */
    private record Known(int pid, String name, long uid) {}

    private MembersSubject() {}

    static String held(int times, int members, String path) {
        try (Cgroup cgroup = Cgroup.open(path)) {
            long begin = System.nanoTime();
            for (int i = 0; i < times; i++) {
                try (Members held = cgroup.members()) {
                    require(held.size() == members, held.size());
                }
            }
            return Long.toString(System.nanoTime() - begin);
        }
    }

    static String byNumber(int times, int members, String path) throws IOException {
        Path procs = Path.of(Cgroup.mountPoint() + path, "cgroup.procs");
        long begin = System.nanoTime();
        for (int i = 0; i < times; i++) {
            List<Known> known = new ArrayList<>();
            for (String line : Files.readAllLines(procs)) {
                try {
                    known.add(status(Integer.parseInt(line)));
                } catch (NoSuchFileException e) {
                    // it has ended meanwhile
                }
            }
            require(known.size() == members, known.size());
        }
        return Long.toString(System.nanoTime() - begin);
    }

    private static Known status(int pid) throws IOException {
        String name = "";
        long uid = -1;
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("Name:")) {
                name = line.substring(6);
            } else if (line.startsWith("Uid:")) {
                uid = Long.parseLong(line.substring(5, line.indexOf('\t', 5)));
            }
        }
        return new Known(pid, name, uid);
    }

    private static void require(boolean ok, int found) {
        if (!ok) {
            throw new IllegalStateException("found " + found + " members");
        }
    }
}
