package io.holdfast.manager.runtime;

import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.PassedDescriptors.Passed;
import io.holdfast.manager.unit.value.StandardDescriptor;
import java.util.List;
import java.util.Map;

/**
 * The resources that the caller of a request passes to a unit that it makes, beside the unit's
 * file. They are owned.
 *
 * @param processes that a scope adopts
 * @param descriptors that a service passes to its main process
 * @param streams the standard streams of all processes of a service
 */
public record TransientResources(
        List<PidFd> processes, List<Named> descriptors, Map<StandardDescriptor, Fd> streams)
        implements AutoCloseable {
    /** A descriptor and its name. */
    public record Named(Fd fd, String name) {}

    public TransientResources {
        processes = List.copyOf(processes);
        descriptors = List.copyOf(descriptors);
        streams = Map.copyOf(streams);
    }

    /** Returns the descriptors, and no processes; they have the same owner as before. */
    public PassedDescriptors passed() {
        return new PassedDescriptors(
                descriptors.stream().map(one -> new Passed(one.fd(), one.name())).toList(),
                Map.of(),
                streams);
    }

    /** Closes them, which may block: other processes may have the same open files. */
    @Override
    public void close() {
        processes.forEach(PidFd::close);
        passed().close();
    }
}
