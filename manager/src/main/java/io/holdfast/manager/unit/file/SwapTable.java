package io.holdfast.manager.unit.file;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.KernelPath;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The swaps of the machine with their priorities, by path.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_swaps.5.html">swaps</a>
 */
public record SwapTable(Map<String, Integer> swaps) {
    /** The kernel's file; a poll of it reports a change as an error. */
    public static final String FILE = "/proc/swaps";

    /** No swaps. */
    public static final SwapTable EMPTY = new SwapTable(Map.of());

    private static final int PRIORITY = 4;

    public SwapTable {
        swaps = Map.copyOf(swaps);
    }

    /**
     * Reads the swaps. The kernel shows real paths; a swap is also found under each of the asked
     * paths that leads to it. Blocking.
     *
     * @throws ErrnoException EMFILE or ENOMEM
     */
    public static SwapTable read(Collection<String> asked) {
        Map<String, Integer> real = parse(KernelFile.text(null, FILE));
        Map<String, Integer> all = new HashMap<>(real);
        for (String path : real.isEmpty() ? List.<String>of() : asked) {
            try {
                Integer priority = real.get(KernelPath.text(KernelPath.of(path).toRealPath()));
                if (priority != null) {
                    all.put(path, priority);
                }
            } catch (IOException e) {
                // it is not there, and so is no swap
            }
        }
        return new SwapTable(all);
    }

    static Map<String, Integer> parse(String text) {
        Map<String, Integer> swaps = new HashMap<>();
        text.lines()
                .skip(1) // the heading
                .map(line -> line.strip().split("\\s+"))
                .filter(columns -> columns.length > PRIORITY)
                .forEach(columns -> {
                    try {
                        swaps.put(MountTable.plain(columns[0]), Integer.valueOf(columns[PRIORITY]));
                    } catch (NumberFormatException e) {
                        // no line of the kernel
                    }
                });
        return swaps;
    }

    /** Returns the priority of the swap at a path; empty if it is none. */
    public Optional<Integer> at(String path) {
        return Optional.ofNullable(swaps.get(path));
    }
}
