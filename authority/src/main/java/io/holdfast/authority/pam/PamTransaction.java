package io.holdfast.authority.pam;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One authentication (pam_start(3) to pam_end(3)), by one platform thread from begin to end: its
 * methods throw IllegalStateException on another.
 *
 * <p>Modules block (a wrong password costs about two seconds), fork, and change the environment and
 * signal handlers of the process: one process per transaction, if it is not a test. A call cannot
 * be cancelled but by the end of the process.
 */
public final class PamTransaction implements AutoCloseable {
    private final Thread owner = Thread.currentThread();
    private final Arena arena = Arena.ofConfined();
    private final Libpam libpam;
    private final ConversationUpcall upcall;
    private long handle; // 0 once it has ended
    private int status;

    private PamTransaction(Libpam libpam, Conversation conversation) {
        this.libpam = libpam;
        this.upcall = new ConversationUpcall(conversation);
    }

    /**
     * Begins.
     *
     * @param user whose authenticity is asked for, as getpwnam(3) knows it
     * @throws PamUnavailableException if there is no PAM, or no such service
     * @throws IllegalArgumentException if the user's name is empty or has a NUL
     * @throws IllegalStateException on a virtual thread, which would pin its carrier
     */
    public static PamTransaction start(PamService service, String user, Conversation conversation)
            throws PamUnavailableException, PamException {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("PAM blocks: on a platform thread only");
        }
        if (user.isEmpty() || user.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("not the name of a user: \"" + user + "\"");
        }
        service.requireFile();
        PamTransaction transaction = new PamTransaction(Libpam.load(), conversation);
        boolean started = false;
        try {
            transaction.start(service, user);
            started = true;
            return transaction;
        } finally {
            if (!started) {
                transaction.arena.close();
            }
        }
    }

    private void start(PamService service, String user)
            throws PamUnavailableException, PamException {
        MemorySegment into = arena.allocate(ValueLayout.JAVA_LONG);
        long folder =
                service.folder()
                        .map(path -> arena.allocateFrom(path.toString()).address())
                        .orElse(0L);
        int code =
                libpam.start(
                        arena.allocateFrom(service.name()).address(),
                        arena.allocateFrom(user).address(),
                        upcall.struct(arena).address(),
                        folder,
                        into.address());
        if (code != Libpam.PAM_SUCCESS) {
            throw new PamException("pam_start", code, "no transaction");
        }
        handle = into.get(ValueLayout.JAVA_LONG, 0);
    }

    /** Says who asks for it (PAM_RUSER): a user of this machine. */
    public void remoteUser(String user) throws PamException {
        requireOwner();
        int code = libpam.setItem(handle, Libpam.PAM_RUSER, arena.allocateFrom(user).address());
        try {
            check("pam_set_item", code);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e); // no module has run
        }
    }

    /**
     * Has the modules authenticate the user (pam_authenticate(3)).
     *
     * @throws PamException if they do not
     * @throws IOException what the conversation has thrown
     */
    public void authenticate() throws PamException, IOException, InterruptedException {
        requireOwner();
        check("pam_authenticate", libpam.authenticate(handle));
    }

    /**
     * Asks whether the account is valid now (pam_acct_mgmt(3)).
     *
     * @throws PamException if it is not
     * @throws IOException what the conversation has thrown
     */
    public void validateAccount() throws PamException, IOException, InterruptedException {
        requireOwner();
        check("pam_acct_mgmt", libpam.acctMgmt(handle));
    }

    /** Whom the modules have authenticated (PAM_USER): they may have changed it. */
    public String user() throws PamException {
        requireOwner();
        MemorySegment into = arena.allocate(ValueLayout.JAVA_LONG);
        int code = libpam.getItem(handle, Libpam.PAM_USER, into.address());
        if (code != Libpam.PAM_SUCCESS) {
            throw new PamException("pam_get_item", code, libpam.strerror(handle, code));
        }
        return new String(Libpam.string(into.get(ValueLayout.JAVA_LONG, 0)), UTF_8);
    }

    /** Success of PAM does not count if the conversation has failed on the way to it. */
    private void check(String call, int code)
            throws PamException, IOException, InterruptedException {
        status = code;
        switch (upcall.takeFailure()) {
            case IOException failure -> throw failure;
            case InterruptedException failure -> throw failure;
            case RuntimeException failure -> throw failure;
            case Error failure -> throw failure;
            case Throwable failure -> throw new AssertionError(failure);
            case null -> {}
        }
        if (code != Libpam.PAM_SUCCESS) {
            throw new PamException(call, code, libpam.strerror(handle, code));
        }
    }

    private void requireOwner() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("a PAM transaction belongs to " + owner);
        }
        if (handle == 0) {
            throw new IllegalStateException("the PAM transaction has ended");
        }
    }

    /** Ends it: modules wipe what they keep. Idempotent. */
    @Override
    public void close() {
        if (handle != 0) {
            requireOwner();
            int ignored = libpam.end(handle, status);
            handle = 0;
            arena.close();
        }
    }
}
