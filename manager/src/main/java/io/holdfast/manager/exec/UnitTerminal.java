package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.StreamSettings;
import io.holdfast.manager.unit.value.StandardStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The terminal of a unit: put in order before its first process and after its last one, and opened
 * for its streams. Blocking, but no line is waited for: it is opened whether it has a carrier or
 * not.
 */
final class UnitTerminal {
    /** Resets the scrolling region, clears the screen and what has scrolled away. */
    private static final byte[] CLEAR =
            "\u001b[r\u001b[H\u001b[3J\u001bc".getBytes(StandardCharsets.US_ASCII);

    private static final Pattern VIRTUAL_CONSOLE = Pattern.compile("/dev/tty([1-9][0-9]?)");
    private static final String ANY_CONSOLE = "/dev/tty0";
    private static final String PSEUDO_TERMINALS = "/dev/pts/";
    private static final int OWN_MODE = 0600;

    private final StreamSettings.Terminal settings;

    UnitTerminal(StreamSettings.Terminal settings) {
        this.settings = settings;
    }

    static boolean isOf(ExecSettings unit) {
        return unit.streams().terminal().named().isPresent()
                || Stream.of(unit.standardInput(), unit.standardOutput(), unit.standardError())
                        .anyMatch(StandardStream::isTerminal);
    }

    /**
     * Takes it from other processes, resets it, sets its size and clears it, as the unit wants.
     *
     * @throws FileException if it cannot be opened
     * @throws ErrnoException EPERM to take it from others without CAP_SYS_ADMIN; ENOTTY
     */
    void tidy() throws FileException {
        if (settings.hangUp()) {
            hangUp();
        }
        boolean changes =
                settings.reset()
                        || settings.clear()
                        || settings.rows().isPresent()
                        || settings.columns().isPresent();
        if (changes) {
            try (OpenedFile opened = openToChange()) {
                change(opened.fd());
            }
        }
    }

    private void change(Fd terminal) {
        if (settings.reset()) {
            check(Termios.of(terminal).sane().applyNow(terminal), "tcsetattr");
        }
        if (settings.rows().isPresent() || settings.columns().isPresent()) {
            int before = SysIoctl.windowSize(terminal);
            check(before, "ioctl(TIOCGWINSZ)");
            int rows = settings.rows().orElse(before >>> 16);
            int columns = settings.columns().orElse(before & 0xFFFF);
            check(SysIoctl.setWindowSize(terminal, rows, columns), "ioctl(TIOCSWINSZ)");
        }
        if (settings.clear()) {
            clear(terminal);
        }
    }

    /**
     * Releases a virtual console that nothing uses; clears any other terminal, unless its output is
     * stopped.
     */
    private void clear(Fd terminal) {
        Matcher console = VIRTUAL_CONSOLE.matcher(settings.path());
        if (console.matches() && isReleased(Integer.parseInt(console.group(1)))) {
            return;
        }
        int r = Unistd.write(terminal, CLEAR, 0, CLEAR.length);
        if (r != -Errno.EAGAIN) {
            check(r, "write");
        }
    }

    private static boolean isReleased(int console) {
        try (OpenedFile any =
                OpenedFile.open(ANY_CONSOLE, OpenHow.reading().kinds(FileKind.CHARACTER_DEVICE))) {
            return SysIoctl.releaseConsole(any.fd(), console) == 0;
        } catch (FileException e) {
            return false;
        }
    }

    /**
     * Takes it from all processes that have it: they see the end of their input.
     *
     * @throws ErrnoException as {@link #tidy}
     */
    void hangUp() throws FileException {
        try (OpenedFile opened = openToChange()) {
            check(SysIoctl.hangUp(opened.fd()), "ioctl(TIOCVHANGUP)");
        }
    }

    private void check(int result, String call) {
        int _ = ErrnoException.check(result, call, settings.path());
    }

    /** Opens it without waiting: its output may be stopped, by Ctrl-S for example. */
    private OpenedFile openToChange() throws FileException {
        return OpenedFile.open(
                settings.path(), OpenHow.readingAndWriting().kinds(FileKind.CHARACTER_DEVICE));
    }

    /** Opens it; the caller closes it. It does not become the manager's terminal. */
    OpenedFile open(OpenHow how) throws FileException {
        return OpenedFile.open(settings.path(), how.kinds(FileKind.CHARACTER_DEVICE).blocking());
    }

    static boolean isTerminal(Fd fd) {
        try {
            Termios _ = Termios.of(fd);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Returns whether a start has failed because this is the terminal of another session. */
    boolean isTaken(ErrnoException failure) {
        return failure.errno() == Errno.EPERM && failure.subject().startsWith("/dev/");
    }

    /** Returns the value of {@code TERM} for the processes of the unit. */
    String type() {
        boolean isVirtual = VIRTUAL_CONSOLE.matcher(settings.path()).matches();
        return isVirtual || settings.path().equals(ANY_CONSOLE) ? "linux" : "vt220";
    }

    /**
     * Returns whether a descriptor that somebody has passed is the terminal that the unit names,
     * and a pseudo-terminal: such a one can have an owner for as long as the unit runs.
     */
    boolean isPassed(Fd terminal) {
        if (!settings.path().startsWith(PSEUDO_TERMINALS)) {
            return false;
        }
        try {
            return SysStat.stat(terminal).isSameFile(SysStat.stat(settings.path()));
        } catch (ErrnoException e) {
            return false;
        }
    }

    /**
     * Makes a user its only owner, as a login does.
     *
     * @param terminal a descriptor of it
     * @throws ErrnoException EROFS, EPERM
     */
    void giveTo(Fd terminal, long uid) {
        check(SysStat.fchmod(terminal, OWN_MODE), "fchmod");
        check(SysStat.fchown(terminal, uid, -1), "fchown");
    }

    /**
     * Makes root its owner again.
     *
     * @throws FileException if it cannot be opened
     * @throws ErrnoException as {@link #giveTo}
     */
    void takeBack() throws FileException {
        try (OpenedFile opened = openToChange()) {
            if (isTerminal(opened.fd())) { // /dev/null stays everybody's
                giveTo(opened.fd(), 0);
            }
        }
    }

    /** Returns whether it never becomes a controlling terminal when it is opened. */
    boolean isConsole() {
        return settings.named().isEmpty() || settings.path().equals("/dev/console");
    }

    @Override
    public String toString() {
        return settings.path();
    }
}
