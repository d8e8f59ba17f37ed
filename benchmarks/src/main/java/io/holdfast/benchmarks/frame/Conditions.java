package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The conditions of the measurement. */
public final class Conditions {
    private Conditions() {}

    public static String describe() throws IOException, InterruptedException {
        return """
        - JDK %s (%s)
        - Linux %s, %s
        - %s
        - %s, %d processors, %d MiB
        - %s

        """
                .formatted(
                        System.getProperty("java.vm.version"),
                        System.getProperty("java.vendor"),
                        System.getProperty("os.version"),
                        System.getProperty("os.arch"),
                        firstLine("ldd", "--version") + "; " + firstLine("gcc", "--version"),
                        field("/proc/cpuinfo", "model name"),
                        Runtime.getRuntime().availableProcessors(),
                        Long.parseLong(field("/proc/meminfo", "MemTotal").replace(" kB", ""))
                                / 1024,
                        load());
    }

    /** Returns the load of the machine: other work disturbs the figures. */
    public static String load() throws IOException {
        return "load " + Files.readString(Path.of("/proc/loadavg")).strip();
    }

    private static String field(String file, String name) throws IOException {
        for (String line : Files.readAllLines(Path.of(file))) {
            if (line.startsWith(name)) {
                return line.substring(line.indexOf(':') + 1).strip();
            }
        }
        return "unknown";
    }

    private static String firstLine(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            List<String> lines =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
            return process.waitFor() == 0 && !lines.isEmpty() ? lines.getFirst() : command[0];
        } catch (IOException e) {
            return "no " + command[0];
        }
    }
}
