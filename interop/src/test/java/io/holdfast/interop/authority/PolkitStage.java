package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Debian's polkitd on its own system bus, in a mount namespace where {@code /run} is empty and
 * there is one more user, with a password. It ends with this object, and with this JVM.
 */
final class PolkitStage implements AutoCloseable {
    static final String USER = "hfalice";
    static final int UID = 40_001;
    static final String PASSWORD = "right horse";
    static final String ACTION = "org.holdfast.interop.act";

    /** $1: a command that is started as a helper for each connection, or nothing. */
    private static final String SCRIPT =
            """
            set -e
            mount -t tmpfs -o mode=755 none /run
            mkdir -p /run/dbus /run/holdfast /run/polkit-1/actions /run/polkit-1/rules.d
            cp -p /etc/passwd /etc/shadow /run/
            echo '%1$s:x:%2$d:%2$d::/:/bin/sh' >> /run/passwd
            echo "%1$s:$(openssl passwd -6 '%3$s'):19000:0:99999:7:::" >> /run/shadow
            mount --bind /run/passwd /etc/passwd
            mount --bind /run/shadow /etc/shadow
            cat > /run/polkit-1/actions/%4$s.policy <<'END'
            <?xml version="1.0" encoding="UTF-8"?>
            <policyconfig><action id="%4$s">
            <description>Act</description><message>Act in a test</message>
            <defaults><allow_any>auth_self</allow_any><allow_inactive>auth_self</allow_inactive>
            <allow_active>auth_self</allow_active></defaults></action></policyconfig>
            END
            dbus-daemon --system --nofork --nopidfile --nosyslog --print-address=3 \\
                --address=unix:path=/run/dbus/system_bus_socket 3>/run/address &
            bus=$!
            until [ -s /run/address ]; do sleep 0.02; done
            /usr/lib/polkit-1/polkitd >/run/polkitd.log 2>&1 &
            polkitd=$!
            until dbus-send --system --print-reply --dest=org.freedesktop.DBus / \\
                org.freedesktop.DBus.GetNameOwner string:org.freedesktop.PolicyKit1 >/dev/null 2>&1
            do sleep 0.05; done
            helper=
            if [ -n "$1" ]; then
                systemd-socket-activate --accept -l /run/holdfast/agent-helper.socket -- "$@" \\
                    >/run/helper.log 2>&1 &
                helper=$!
                until chmod 666 /run/holdfast/agent-helper.socket 2>/dev/null; do sleep 0.02; done
            fi
            echo ready
            cat >/dev/null
            kill $helper $polkitd $bus
            wait
            """
                    .formatted(USER, UID, PASSWORD, ACTION);

    private final Child stage;
    private final List<Child> children = new ArrayList<>();

    private PolkitStage(Child stage) {
        this.stage = stage;
    }

    /**
     * Starts it.
     *
     * @param helper the command of our helper, or none
     */
    static PolkitStage start(Path folder, List<String> helper) throws IOException {
        Path script = folder.resolve("stage.sh");
        Files.writeString(script, SCRIPT);
        List<String> command = new ArrayList<>(List.of("unshare", "--mount", "sh"));
        command.add(script.toString());
        command.addAll(helper.isEmpty() ? List.of("") : helper);
        Child child =
                Spawn.of(command)
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("stage.log")))
                        .start();
        BufferedReader said = new BufferedReader(new InputStreamReader(child.stdout(), UTF_8));
        assertThat(said.readLine()).as(() -> read(folder.resolve("stage.log"))).isEqualTo("ready");
        return new PolkitStage(child);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Returns the content of a file of the stage. */
    String file(String path) {
        return read(Path.of("/proc/" + stage.pidFd().pid() + "/root" + path));
    }

    /** Starts a program on the stage; it is ended with the stage. */
    Child start(Stdio stdin, List<String> command) {
        List<String> inside =
                new ArrayList<>(
                        List.of(
                                "nsenter",
                                "--mount=/proc/" + stage.pidFd().pid() + "/ns/mnt",
                                "--"));
        inside.addAll(command);
        Child child =
                Spawn.of(inside)
                        .environment("LC_ALL", "C.UTF-8")
                        .stdin(stdin)
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged())
                        .start();
        children.add(child);
        return child;
    }

    /** Returns the command, run by the user. */
    static List<String> asUser(List<String> command) {
        return Stream.concat(
                        Stream.of(
                                "setpriv",
                                "--reuid=" + UID,
                                "--regid=" + UID,
                                "--clear-groups",
                                "--reset-env"),
                        command.stream())
                .toList();
    }

    @Override
    public void close() throws IOException {
        for (Child child : children.reversed()) {
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.onExit().join();
            child.close();
        }
        stage.stdin().close();
        var _ = stage.onExit().join();
        stage.close();
    }
}
