package io.holdfast.benchmarks.stack;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMount;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Changes the table of mounts of its mount namespace, on command:
 *
 * <pre>
 *   change SECONDS RATE   mounts on a folder and unmounts it in turn; answers the seconds it took
 * </pre>
 */
final class MountSubject {
    private MountSubject() {}

    /**
     * @param args the folder
     */
    public static void main(String[] args) throws IOException {
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            System.out.println(
                    change(args[0], Integer.parseInt(words[1]), Integer.parseInt(words[2])));
        }
    }

    private static double change(String folder, int seconds, int rate) {
        long begin = System.nanoTime();
        long between = 1_000_000_000L / rate;
        for (int i = 0; i < seconds * rate; i++) {
            if (i % 2 == 0) {
                mount(folder);
            } else {
                ErrnoException.check(SysMount.detach(folder), "umount", folder);
            }
            long left = begin + (i + 1) * between - System.nanoTime();
            LockSupport.parkNanos(left);
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    private static void mount(String folder) {
        try (Fd mount = SysMount.fileSystem("tmpfs", Map.of(), 0);
                Fd place = Fcntl.open(folder, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            ErrnoException.check(SysMount.attach(mount, place), "mount", folder);
        }
    }
}
