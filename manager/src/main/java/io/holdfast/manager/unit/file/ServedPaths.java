package io.holdfast.manager.unit.file;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelFile;
import java.util.HashSet;
import java.util.Set;

/**
 * The paths at which sockets of this network namespace are served now, by whomever. Nobody is
 * connected to for that: it could start something. Blocking.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_net.5.html">proc_net, unix</a>
 */
public final class ServedPaths {
    private static final String FILE = "/proc/net/unix";
    private static final int COLUMNS = 8; // the last one is the path, and may hold blanks
    private static final int FLAGS = 3;
    private static final int TYPE = 4;
    private static final int NAME = 7;
    private static final String LISTENING = "00010000"; // __SO_ACCEPTCON
    private static final String DATAGRAM = "0002";

    private ServedPaths() {}

    /** None if that cannot be found out. */
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
