package io.holdfast.authority.pam;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One PAM transaction (pam_start(3) to pam_end(3)), used by one platform thread from begin to end:
 * its methods throw IllegalStateException on another.
 *
 * <p>Modules block (a wrong password costs about two seconds), fork, and change the environment and
 * signal handlers of the process. So run one transaction per process, except in tests. A call can
 * be cancelled only by ending the process.
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
     * Begins a transaction.
     *
     * @param user the name of the user who is to authenticate, as for getpwnam(3)
     * @throws PamUnavailableException if there is no PAM, or no such service
     * @throws IllegalArgumentException if the user's name is empty or has a NUL
     * @throws IllegalStateException on a virtual thread, whose carrier it would pin
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

    /** Sets the user who requests the authentication (PAM_RUSER), a user of this machine. */
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
     * @throws PamException if they refuse
     * @throws IOException if the conversation has thrown it
     */
    public void authenticate() throws PamException, IOException, InterruptedException {
        requireOwner();
        check("pam_authenticate", libpam.authenticate(handle));
    }

    /**
     * Checks that the account is valid now (pam_acct_mgmt(3)).
     *
     * @throws PamException if it is not
     * @throws IOException if the conversation has thrown it
     */
    public void validateAccount() throws PamException, IOException, InterruptedException {
        requireOwner();
        check("pam_acct_mgmt", libpam.acctMgmt(handle));
    }

    /** Returns the authenticated user (PAM_USER), which modules may have changed. */
    public String user() throws PamException {
        requireOwner();
        MemorySegment into = arena.allocate(ValueLayout.JAVA_LONG);
        int code = libpam.getItem(handle, Libpam.PAM_USER, into.address());
        if (code != Libpam.PAM_SUCCESS) {
            throw new PamException("pam_get_item", code, libpam.strerror(handle, code));
        }
        return new String(Libpam.string(into.get(ValueLayout.JAVA_LONG, 0)), UTF_8);
    }

    /** Throws for a failure. PAM's success does not count if the conversation has failed before. */
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

    /** Ends the transaction: modules wipe their data. Idempotent. */
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
