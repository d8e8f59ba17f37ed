package io.holdfast.manager.exec;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.unit.value.StandardDescriptor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The descriptors that are passed to a command from 3 on, first those of sockets, then stored ones,
 * in this order, with their environment variables. They are duplicates and owned: the command gets
 * them even if a socket is closed meanwhile.
 *
 * @param variables of the connection, {@code REMOTE_ADDR} and the like, and of the trigger
 * @param streams standard streams that replace those of the unit's settings
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html">sd_listen_fds</a>
 */
public record PassedDescriptors(
        List<Passed> list, Map<String, String> variables, Map<StandardDescriptor, Fd> streams)
        implements AutoCloseable {
    public static final PassedDescriptors NONE = new PassedDescriptors(List.of(), Map.of());

    /** The number of the first descriptor. */
    static final int FIRST = 3;

    static final String PID = "LISTEN_PID";
    static final String ID = "LISTEN_PIDFDID";

    public record Passed(Fd fd, String name) {}

    public PassedDescriptors {
        list = List.copyOf(list);
        variables = Map.copyOf(variables);
        streams = Map.copyOf(streams);
    }

    /** Creates descriptors without standard streams. */
    public PassedDescriptors(List<Passed> list, Map<String, String> variables) {
        this(list, variables, Map.of());
    }

    boolean isEmpty() {
        return list.isEmpty();
    }

    /** Returns these descriptors followed by others; the result owns all of them. */
    public PassedDescriptors and(PassedDescriptors more) {
        return new PassedDescriptors(
                Stream.concat(list.stream(), more.list.stream()).toList(),
                variables,
                streams.isEmpty() ? more.streams : streams);
    }

    /** Returns the same descriptors with more variables. */
    public PassedDescriptors with(Map<String, String> more) {
        if (more.isEmpty()) {
            return this;
        }
        Map<String, String> all = new HashMap<>(variables);
        all.putAll(more);
        return new PassedDescriptors(list, all, streams);
    }

    /** Returns the first descriptor with a name. */
    Optional<Fd> named(String name) {
        return list.stream()
                .filter(passed -> passed.name().equals(name))
                .map(Passed::fd)
                .findFirst();
    }

    /** Returns the variables that hold their number and names. */
    Map<String, String> listenVariables() {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("LISTEN_FDS", Integer.toString(list.size()));
        variables.put(
                "LISTEN_FDNAMES", list.stream().map(Passed::name).collect(Collectors.joining(":")));
        return variables;
    }

    /**
     * Sets whether calls on them block. That affects everyone who has a descriptor of the same open
     * file.
     */
    public void blocking(boolean whether) {
        list.forEach(passed -> Fcntl.setBlocking(passed.fd(), whether));
    }

    /** Closes them, which may block: other processes may have the same open files. */
    @Override
    public void close() {
        list.forEach(passed -> passed.fd().close());
        streams.values().forEach(Fd::close);
    }

    /** Closes them without blocking. */
    public void close(FdCloser<String> closer, String owner) {
        list.forEach(passed -> closer.close(owner, passed.fd()));
        streams.values().forEach(fd -> closer.close(owner, fd));
    }
}
