package io.holdfast.core.process.privilege;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Predicts the error of {@code execve(2)} for a program: after {@link SetprivCommand} only an exit
 * status would report it.
 */
public final class ProgramCheck {
    private static final int SCRIPT_LINE = 256; // as many bytes as the kernel reads

    private ProgramCheck() {}

    /**
     * Refuses a program that cannot be executed.
     *
     * @param byShell whether a script without {@code #!} is accepted, since the shell will run it
     * @throws ErrnoException ENOENT, EACCES, ENOEXEC
     */
    public static void requireExecutable(Path program, boolean byShell) {
        if (!Files.exists(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.ENOENT);
        }
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.EACCES);
        }
        byte[] head;
        try (OpenedFile file = OpenedFile.open(program, OpenHow.reading())) {
            head = file.readFirst(SCRIPT_LINE);
        } catch (FileException e) {
            return; // it may be executable though we cannot read it
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("#!")) {
            String interpreter = text.substring(2).lines().findFirst().orElse("").strip();
            interpreter = interpreter.split("[ \t]", 2)[0];
            if (!interpreter.isEmpty() && !Files.exists(Path.of(interpreter))) {
                throw new ErrnoException(
                        "execve",
                        program.toString(),
                        Errno.ENOENT,
                        "its interpreter " + interpreter + " is missing");
            }
        } else if (!byShell
                && !text.startsWith("\u007fELF")
                && !Files.exists(Path.of("/proc/sys/fs/binfmt_misc/register"))) {
            throw new ErrnoException(
                    "execve", program.toString(), Errno.ENOEXEC, "a script needs a #! line");
        }
    }
}
