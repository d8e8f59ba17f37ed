package io.holdfast.manager.credential;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decrypts credentials with the keys of the machine, by the program {@code systemd-creds}, which
 * checks their names and times, too. Its input and output are files in memory. Blocking.
 *
 * @param scope a user's manager uses the key of its user
 * @param search the folders that may have the program
 */
record CredentialDecryption(ManagerScope scope, List<String> search) {
    private static final String PROGRAM = "systemd-creds";
    private static final String MISSING =
            PROGRAM
                    + " decrypts it and is not in %s; install it (Debian: apt install systemd), or"
                    + " provide the credential unencrypted";
    private static final int MAX_ERROR = 4096; // bytes

    CredentialDecryption(ManagerScope scope) {
        this(scope, ExecCommand.SEARCH_PATH);
    }

    /**
     * Decrypts one credential.
     *
     * @param name which it must have been encrypted for
     * @param encrypted in Base64
     * @param limit after which the program is killed
     */
    byte[] decrypt(String name, byte[] encrypted, Duration limit)
            throws CredentialException, InterruptedException {
        Path program =
                search.stream()
                        .map(folder -> Path.of(folder, PROGRAM))
                        .filter(Files::isExecutable)
                        .findFirst()
                        .orElseThrow(
                                () -> failed(name, MISSING.formatted(String.join(":", search))));
        try (Fd input = SysMemfd.make("credential");
                Fd output = SysMemfd.make("credential");
                Fd errors = SysMemfd.make("errors")) {
            write(input, encrypted);
            try (Fd reading = again(input)) {
                Exit exit = run(program, name, reading, output, errors, limit);
                if (!exit.isSuccess()) {
                    throw failed(name, "cannot be decrypted: " + reason(errors, exit));
                }
            }
            try (Fd reading = again(output)) {
                return KernelFile.readRest(reading, name, CredentialContents.MAX_SIZE);
            }
        } catch (ErrnoException e) {
            throw new CredentialException(name, e);
        }
    }

    private Exit run(Path program, String name, Fd input, Fd output, Fd errors, Duration limit)
            throws CredentialException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("decrypt", "--name=" + name));
        if (scope.user()) {
            arguments.add("--user");
        }
        arguments.addAll(List.of("-", "-"));
        try (Child child =
                Spawn.of(program.toString())
                        .arguments(arguments)
                        .environment(scope.environment(Map.of()))
                        .directory(Path.of("/"))
                        .newProcessGroup()
                        .stdin(Stdio.descriptor(input))
                        .stdout(Stdio.descriptor(output))
                        .stderr(Stdio.descriptor(errors))
                        .start()) {
            Optional<Exit> exit = Optional.empty();
            try {
                exit = child.await(limit);
            } finally {
                if (exit.isEmpty()) { // too late, or interrupted
                    boolean _ = child.signal(Signal.KILL);
                    Exit _ = child.await();
                }
            }
            if (exit.isEmpty()) {
                throw failed(
                        name,
                        PROGRAM
                                + " did not end in time; "
                                + ManagerLimits.CREDENTIAL_TIMEOUT.remedy());
            }
            return exit.get();
        }
    }

    private static String reason(Fd errors, Exit exit) {
        try (Fd reading = again(errors)) {
            String text = new String(KernelFile.readFirst(reading, "errors", MAX_ERROR), UTF_8);
            return text.lines()
                    .filter(line -> !line.isBlank())
                    .reduce((_, last) -> last)
                    .orElse(PROGRAM + ": " + exit);
        }
    }

    private static void write(Fd file, byte[] content) {
        for (int written = 0; written < content.length; ) {
            int n = Unistd.write(file, content, written, content.length - written);
            written += ErrnoException.check(n, "write", file);
        }
    }

    /** Opens a file in memory again, at its begin. */
    private static Fd again(Fd file) {
        return file.with(number -> Fcntl.open("/proc/self/fd/" + number, Fcntl.O_RDONLY));
    }

    private static CredentialException failed(String name, String why) {
        return new CredentialException("credential " + name + ": " + why);
    }
}
