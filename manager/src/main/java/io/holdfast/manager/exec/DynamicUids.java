package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.LockFile;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.process.UserRuns;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * User and group ids that exist only while a unit runs ({@code DynamicUser=}).
 *
 * <p>An id is reserved by the lock of a file that is named after it ({@link LockFile}), in a folder
 * that all managers of the machine share: the kernel releases the lock when the manager ends,
 * however it ends. Units that use the same user name at the same time get the same id. Blocking;
 * safe for use by any thread.
 *
 * @see <a href="https://systemd.io/UIDS-GIDS/">Users, Groups, UIDs and GIDs</a>
 */
public final class DynamicUids {
    /** The range that systemd uses for dynamic users, and that no distribution assigns. */
    public static final long FIRST = 61184;

    public static final long LAST = 65519;

    /** Attempts to make the folder again, if another manager has just removed it. */
    private static final int FOLDER_ATTEMPTS = 10;

    /** Owner only: a user who can open a lock file can hold its lock. */
    private static final int FOLDER_MODE = 0700;

    private final Path folder;
    private final Accounts accounts;
    private final long first;
    private final int count;
    private final Map<String, Held> byName = new HashMap<>();
    private final UserRuns runs = new UserRuns();

    /** {@return the runs of this manager by their user} */
    UserRuns runs() {
        return runs;
    }

    /** An id that this manager has reserved. */
    private static final class Held {
        final long number;
        final LockFile lock;
        int users;

        Held(long number, LockFile lock) {
            this.number = number;
            this.lock = lock;
        }
    }

    /** One reference to an id; the id is free again after the last one is closed. */
    final class Uid implements AutoCloseable {
        private final String name;
        private final long number;
        private boolean closed;

        private Uid(String name, long number) {
            this.name = name;
            this.number = number;
        }

        String name() {
            return name;
        }

        long number() {
            return number;
        }

        @Override
        public void close() {
            synchronized (DynamicUids.this) {
                if (!closed) {
                    closed = true;
                    release(name);
                }
            }
        }
    }

    /** Creates the allocator of this machine. */
    public DynamicUids(Path runtimeDirectory) {
        this(runtimeDirectory.resolve("holdfast/dynamic-uid"), Accounts.SYSTEM, FIRST, LAST);
    }

    /**
     * @param folder of the locks; made when it is needed
     * @param accounts whose ids are not assigned
     */
    public DynamicUids(Path folder, Accounts accounts, long first, long last) {
        this.folder = folder;
        this.accounts = accounts;
        this.first = first;
        this.count = Math.toIntExact(last - first + 1);
    }

    /**
     * Reserves an id for a name: the one that the name has already, else a preferred one, the one
     * of its hash, or the next free one.
     *
     * @param preferred the owners of its existing folders, if any
     * @throws SetupException if all are in use, or if the accounts or locks cannot be read
     */
    synchronized Uid take(String name, List<Long> preferred)
            throws SetupException, InterruptedException {
        Held held = byName.get(name);
        if (held == null) {
            held = find(name, preferred);
            byName.put(name, held);
        }
        held.users++;
        return new Uid(name, held.number);
    }

    private Held find(String name, List<Long> preferred)
            throws SetupException, InterruptedException {
        List<Long> candidates = new ArrayList<>(preferred);
        candidates.removeIf(number -> number < first || number >= first + count);
        int hash = Math.floorMod(name.hashCode(), count);
        for (int i = 0; i < count; i++) {
            candidates.add(first + (hash + i) % count);
        }
        for (int attempt = 1; ; attempt++) {
            try {
                Optional<Held> found = firstFree(name, candidates);
                if (found.isPresent()) {
                    return found.get();
                }
                break;
            } catch (UnknownAccountException | ErrnoException e) {
                boolean removed = e instanceof ErrnoException o && o.errno() == Errno.ENOENT;
                if (!removed || attempt == FOLDER_ATTEMPTS) {
                    throw new SetupException(SetupException.Step.USER, e);
                }
            }
        }
        throw new SetupException(
                SetupException.Step.USER,
                "no UID is left for the dynamic user %s: all from %d to %d are in use"
                        .formatted(name, first, first + count - 1));
    }

    private Optional<Held> firstFree(String name, List<Long> candidates)
            throws UnknownAccountException, InterruptedException {
        try (TrustedFolder locks = TrustedFolder.make(folder, FOLDER_MODE)) {
            for (long candidate : candidates) {
                Optional<Held> found = tryTake(locks.fd(), candidate, name);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Held> tryTake(Fd locks, long number, String name)
            throws UnknownAccountException, InterruptedException {
        Optional<LockFile> lock = LockFile.tryTake(locks, String.valueOf(number));
        if (lock.isEmpty()) {
            return Optional.empty();
        }
        boolean taken = false;
        try {
            if (isAccount(String.valueOf(number))) {
                return Optional.empty();
            }
            byte[] text = (name + "\n").getBytes(UTF_8); // for people
            int n = Unistd.write(lock.get().file(), text, 0, text.length);
            ErrnoException.check(n, "write", folder.resolve(String.valueOf(number)));
            taken = true;
            return Optional.of(new Held(number, lock.get()));
        } finally {
            if (!taken) {
                lock.get().close();
            }
        }
    }

    private boolean isAccount(String number) throws UnknownAccountException, InterruptedException {
        return accounts.findUser(number).isPresent() || accounts.findGroup(number).isPresent();
    }

    private void release(String name) {
        Held held = byName.get(name);
        if (held != null && --held.users == 0) {
            byName.remove(name);
            held.lock.close();
        }
    }

    /** Removes the folder, unless ids are in use. */
    public void removeFolder() {
        boolean ignored = folder.toFile().delete();
    }
}
