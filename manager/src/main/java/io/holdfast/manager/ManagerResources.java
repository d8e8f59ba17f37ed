package io.holdfast.manager;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.LockFile;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.StateFolder;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.Survival;
import java.util.Optional;

/**
 * What a manager holds on the machine: its runtime folder, its slice, and what outlives it.
 *
 * @param lock keeps other managers out of the folder
 * @param cgroups empty if the units get none
 * @param cgroupRefusal why the units get no cgroups
 */
record ManagerResources(
        TrustedFolder folder,
        LockFile lock,
        Optional<UnitCgroups> cgroups,
        Optional<String> cgroupRefusal,
        Survival survival)
        implements AutoCloseable {
    private static final String LOCK = "lock";

    /** Opens the resources of a manager, as {@link Manager#open} describes. */
    static ManagerResources open(
            ManagerOptions options, ManagerListener listener, Optional<Keeper> keeper) {
        options.checkRuntimeDirectory();
        TrustedFolder folder = TrustedFolder.make(options.runtimeDirectory());
        LockFile lock = null;
        UnitCgroups cgroups = null;
        String refusal = null;
        StateFolder states = null;
        Survival survival = Survival.none();
        try {
            lock = lock(folder);
            if (keeper.isPresent()) {
                states = StateFolder.open(folder);
                survival =
                        new Survival(
                                keeper.get(),
                                states,
                                text -> listener.event(ManagerListener.Level.WARNING, text));
                keeper.get().pause(survival.predecessor().pause());
            }
            try {
                cgroups = cgroups(options, survival, keeper.isPresent());
            } catch (ErrnoException e) {
                if (e.errno() == Errno.EBUSY) {
                    throw e;
                }
                refusal = e.getMessage();
            } catch (ForeignCgroupException e) {
                refusal = e.getMessage();
            }
            return new ManagerResources(
                    folder,
                    lock,
                    Optional.ofNullable(cgroups),
                    Optional.ofNullable(refusal),
                    survival);
        } catch (RuntimeException e) {
            if (cgroups != null) {
                cgroups.close();
            }
            if (lock != null) {
                lock.close();
            }
            folder.close();
            throw e;
        }
    }

    private static UnitCgroups cgroups(
            ManagerOptions options, Survival survival, boolean hasKeeper) {
        Optional<PidFd> parent = Optional.empty();
        try (PidFd self = PidFd.self()) {
            if (hasKeeper) {
                parent = self.parent();
            }
            return UnitCgroups.open(
                    options.slice(), survival.isAfterCrash(), options.ownsProcess(), parent);
        } finally {
            parent.ifPresent(PidFd::close);
        }
    }

    private static LockFile lock(TrustedFolder folder) {
        return LockFile.tryTake(folder.fd(), LOCK)
                .orElseThrow(() ->
                        new ErrnoException(
                                Manager.LOCK_CALL,
                                "runtime folder " + folder,
                                Errno.EBUSY,
                                "another manager runs there; choose another folder"));
    }

    @Override
    public void close() {
        cgroups.ifPresent(UnitCgroups::close);
        unlock();
    }

    /** Leaves the folder to other managers, once its cgroups are closed. */
    void unlock() {
        lock.close();
        folder.close();
    }
}
