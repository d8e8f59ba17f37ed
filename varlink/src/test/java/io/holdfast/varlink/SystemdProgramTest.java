package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our client against systemd programs that serve Varlink on an inherited connection. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SystemdProgramTest {
    @ParameterizedTest
    @ValueSource(strings = {"/usr/bin/systemd-creds", "/usr/bin/systemd-sysext"})
    void everyInterfaceOfARealServiceIsUnderstood(String program) {
        assumeThat(Path.of(program)).as("a program of Debian's package systemd").isExecutable();
        try (VarlinkClient client = VarlinkClient.connect("exec:" + program)) {
            ServiceInfo info = client.getInfo();
            assertThat(info.vendor()).isEqualTo("The systemd Project");
            assertThat(info.interfaces()).contains("org.varlink.service").hasSizeGreaterThan(1);
            for (String name : info.interfaces()) {
                Interface definition = client.getInterfaceDescription(name);
                assertThat(definition.name()).isEqualTo(name);
                assertThat(Interface.parse(definition.toString())).isEqualTo(definition);
            }
            assertThatThrownBy(() -> client.call("io.holdfast.Nope"))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageStartingWith("org.varlink.service.MethodNotFound");
            assertThatThrownBy(() -> client.getInterfaceDescription("a.b"))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageStartingWith("org.varlink.service.InterfaceNotFound");
        }
    }

    @Test
    @Needs(programs = "perl")
    void theProgramOfAnUpgradedConnectionEndsWithIt(@TempDir Path folder) throws Exception {
        Path program =
                Files.writeString(
                        folder.resolve("service"),
                        """
                        #!/usr/bin/perl
                        open(my $socket, "+<&=", 3) or die;
                        my $c;
                        while (sysread($socket, $c, 1) && $c ne "\\0") {}
                        syswrite($socket, "{\\"parameters\\":{}}\\0");
                        sleep 1000 while 1;
                        """);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        CompletableFuture<Exit> exit;
        try (VarlinkClient client = VarlinkClient.connect("exec:" + program);
                var upgraded = client.upgrade("org.example.Other", JsonObject.EMPTY)) {
            exit = upgraded.program().orElseThrow().onExit();
        }
        assertThat(exit.get()).isEqualTo(new Exit.Killed(Signal.TERM, false));
    }

    @Test
    void aProgramThatServesNothingOrDoesNotExistIsAClearError() {
        try (VarlinkClient client = VarlinkClient.connect("exec:/bin/true")) {
            assertThatThrownBy(client::getInfo)
                    .isInstanceOf(ServiceLostException.class)
                    .hasMessageStartingWith("exec:/bin/true: ");
        }
        assertThatThrownBy(() -> VarlinkClient.connect("exec:/nonexistent"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ENOENT");
    }
}
