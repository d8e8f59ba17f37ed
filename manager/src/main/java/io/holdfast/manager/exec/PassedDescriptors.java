package io.holdfast.manager.exec;

import io.holdfast.core.Fd;
import io.holdfast.core.FdCloser;
import io.holdfast.core.sys.Fcntl;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The descriptors that a command gets, of sockets and then stored ones, from 3 on and in this
 * order, with what it is told of them. They are duplicates and owned: whatever becomes of the
 * sockets meanwhile, the command gets what it was to get.
 *
 * @param variables of the connection, {@code REMOTE_ADDR} and the like
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html">sd_listen_fds</a>
 */
public record PassedDescriptors(List<Passed> list, Map<String, String> variables)
        implements AutoCloseable {
    public static final PassedDescriptors NONE = new PassedDescriptors(List.of(), Map.of());

    /** The number of the first. */
    static final int FIRST = 3;

    static final String PID = "LISTEN_PID";
    static final String ID = "LISTEN_PIDFDID";

    /** One of them. */
    public record Passed(Fd fd, String name) {}

    public PassedDescriptors {
        list = List.copyOf(list);
        variables = Map.copyOf(variables);
    }

    boolean isEmpty() {
        return list.isEmpty();
    }

    /** Both, these first; what was owned by them is owned by what this returns. */
    public PassedDescriptors and(PassedDescriptors more) {
        return new PassedDescriptors(
                Stream.concat(list.stream(), more.list.stream()).toList(), variables);
    }

    /** The first of that name. */
    Optional<Fd> named(String name) {
        return list.stream()
                .filter(passed -> passed.name().equals(name))
                .map(Passed::fd)
                .findFirst();
    }

    /** How many there are, and their names. */
    Map<String, String> listenVariables() {
        Map<String, String> told = new LinkedHashMap<>();
        told.put("LISTEN_FDS", Integer.toString(list.size()));
        told.put(
                "LISTEN_FDNAMES", list.stream().map(Passed::name).collect(Collectors.joining(":")));
        return told;
    }

    /**
     * Sets whether calls on them block: for everybody who has them, since the mode belongs to the
     * open file.
     */
    public void blocking(boolean whether) {
        list.forEach(passed -> Fcntl.setBlocking(passed.fd(), whether));
    }

    /** Closes them, which may block: the same open files may be anybody's. */
    @Override
    public void close() {
        list.forEach(passed -> passed.fd().close());
    }

    /** Closes them without waiting. */
    public void close(FdCloser<String> closer, String owner) {
        list.forEach(passed -> closer.close(owner, passed.fd()));
    }
}
