package io.holdfast.receiver;

import io.holdfast.core.socket.ListenFds;
import io.holdfast.receiver.store.StorePlace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * How a receiver works. Immutable.
 *
 * @param sockets the folder of its sockets (socket, stdout, dev-log), as {@code
 *     /run/systemd/journal}; the folder {@code units} beside it has the settings of units
 * @param storage the folder of its files, as {@code /var/log/journal/MACHINE-ID}
 * @param splitUsers whether the entries of each ordinary user get a file that this user can read
 * @param passed the descriptors that the service manager has passed, owned by the receiver: sockets
 *     that it does not make in its folder then, and the streams of a receiver that was killed
 * @param limits of files and rates
 * @param warnings receives one line about what was lost or refused; called by any thread
 */
public record ReceiverOptions(
        Path sockets,
        Path storage,
        boolean splitUsers,
        List<ListenFds.Named> passed,
        StorageLimits limits,
        Consumer<String> warnings) {
    /** Makes the options of a receiver that was passed nothing, with the usual limits. */
    public ReceiverOptions(
            Path sockets, Path storage, boolean splitUsers, Consumer<String> warnings) {
        this(sockets, storage, splitUsers, List.of(), StorageLimits.STANDARD, warnings);
    }

    /** Returns these options with descriptors that the service manager has passed. */
    public ReceiverOptions withPassed(List<ListenFds.Named> descriptors) {
        return new ReceiverOptions(sockets, storage, splitUsers, descriptors, limits, warnings);
    }

    /** Returns these options with other limits. */
    public ReceiverOptions withLimits(StorageLimits other) {
        return new ReceiverOptions(sockets, storage, splitUsers, passed, other, warnings);
    }

    StorePlace place() throws IOException {
        Files.createDirectories(storage);
        long capacity = Files.getFileStore(storage).getTotalSpace();
        return limits.applied(
                StorePlace.of(
                        storage,
                        splitUsers,
                        capacity,
                        ReceiverLimits.WAITING.intValue(),
                        ReceiverLimits.USER_FILES.intValue()));
    }
}
