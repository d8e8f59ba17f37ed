package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.agent.AgentOptions;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An ordinary user changes the name of the machine: the bus has our manager start the real
 * systemd-hostnamed, which calls our authority, which calls an agent, which runs a helper, which
 * calls PAM. One stack serves all tests.
 */
@ParameterizedClass(name = "{0}")
@EnumSource
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "script",
            "setpriv",
            "stty",
            "systemctl",
            "hostnamectl",
            "pkttyagent"
        })
class HostnameTest {
    /** The agent, and the helper that authenticates for it. */
    enum Agent {
        /** With the setuid program of polkit. */
        PKTTYAGENT,
        /** With our helper behind its socket, in its sandbox. */
        HOLDFAST
    }

    private static final AtomicInteger COUNT = new AtomicInteger();
    private static @Nullable StackStage started;
    private static @Nullable RunningProgram running;

    @Parameter Agent kind = Agent.HOLDFAST;
    private final String asked = "after" + COUNT.incrementAndGet();
    private final StackStage stage = Objects.requireNonNull(started);
    private final RunningProgram up = Objects.requireNonNull(running);
    private RunningProgram caller;
    private Terminal agent;

    @BeforeAll
    static void start() throws Exception {
        StackStage stage = StackStage.open(StackStage.Accounts.WITH);
        started = stage;
        stage.write("/etc/hostname", "before\n");
        running = stage.ready();
    }

    @AfterAll
    static void end() {
        StackStage stage = started;
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    @BeforeEach
    void ask() throws Exception {
        // the process that the agent is for becomes hostnamectl, and has no terminal of its own
        caller =
                stage.start(
                        StackStage.asUser(
                                "sh",
                                "-c",
                                "echo $$; read go; exec hostnamectl set-hostname " + asked),
                        Stdio.pipe(),
                        Map.of());
        caller.await("\n");
        String number = caller.written().strip();
        List<String> command =
                new ArrayList<>(
                        switch (kind) {
                            case PKTTYAGENT -> List.of("pkttyagent");
                            case HOLDFAST ->
                                    List.of(
                                            StackStage.HOLDFAST,
                                            "agent",
                                            "--helper-socket",
                                            StackStage.RUNTIME + "/agent-helper.socket");
                        });
        command.addAll(List.of("--process", number));
        agent = stage.onTerminal(command);
        up.await("an agent has registered");
        caller.type("go\n");
    }

    @AfterEach
    void endAgent() {
        if (agent != null) {
            agent.program().closeGently();
        }
        if (caller != null) {
            caller.closeGently();
        }
    }

    private String hostname() throws Exception {
        return stage.output("hostname");
    }

    @Test
    void theRightPasswordChangesIt() throws Exception {
        String machines = Files.readString(Path.of("/proc/sys/kernel/hostname"));
        agent.answer("assword: ", StackStage.PASSWORD);

        assertThat(caller.end()).as(caller::written).isEqualTo(new Exit.Exited(0));
        assertThat(hostname()).isEqualTo(asked);
        assertThat(Files.readString(stage.file("/etc/hostname")).strip()).isEqualTo(asked);
        assertThat(Files.readString(Path.of("/proc/sys/kernel/hostname"))).isEqualTo(machines);
        assertThat(up.written()).contains("systemd-hostnamed.service: started process");
        assertThat(agent.program().written()).doesNotContain(StackStage.PASSWORD);
    }

    @Test
    void aWrongPasswordDoesNot() throws Exception {
        String before = hostname();
        int prompts = kind == Agent.HOLDFAST ? AgentOptions.standard().attempts() : 1;
        for (int i = 0; i < prompts; i++) {
            agent.answer("assword: ", "wrong pony");
        }

        assertThat(caller.end()).as(caller::written).isEqualTo(new Exit.Exited(1));
        assertThat(hostname()).isEqualTo(before);
        up.await("set-static-hostname: no for :");
        if (kind == Agent.HOLDFAST) {
            assertThat(up.written())
                    .contains("authentication of " + StackStage.USER + " failed, asked for by");
        }
        assertThat(up.written()).doesNotContain("pony");
    }

    @Test
    void ctrlCDismissesTheQuestion() throws Exception {
        String before = hostname();
        agent.interrupt("assword: ");

        assertThat(caller.end()).as(caller::written).isEqualTo(new Exit.Exited(1));
        assertThat(hostname()).isEqualTo(before);
        assertThat(caller.written()).contains("Could not set");
    }
}
