package io.holdfast.manager.unit.file;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelFile;
import java.util.HashSet;
import java.util.Set;

/**
 * Reads the paths at which a process serves a socket of this network namespace now. It never
 * connects to a socket, because that could start a service. Blocking.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_net.5.html">proc_net, unix</a>
 */
public final class ServedPaths {
    private static final String FILE = "/proc/net/unix";
    private static final int COLUMNS = 8; // the last one is the path, and may contain blanks
    private static final int FLAGS = 3;
    private static final int TYPE = 4;
    private static final int NAME = 7;
    private static final String LISTENING = "00010000"; // __SO_ACCEPTCON
    private static final String DATAGRAM = "0002";

    private ServedPaths() {}

    /** Returns the paths; none if they cannot be read. */
    public static Set<String> read() {
        try {
            return parse(KernelFile.text(null, FILE));
        } catch (ErrnoException e) {
            return Set.of();
        }
    }

    public static Set<String> parse(String table) {
        Set<String> served = new HashSet<>();
        for (String line : table.split("\n")) {
            String[] columns = line.split(" +", COLUMNS);
            if (columns.length == COLUMNS
                    && columns[NAME].startsWith("/")
                    && (columns[FLAGS].equals(LISTENING) || columns[TYPE].equals(DATAGRAM))) {
                served.add(columns[NAME]);
            }
        }
        return served;
    }
}
