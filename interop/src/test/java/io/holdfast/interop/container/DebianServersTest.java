package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The servers of a Debian of their own, which {@code scripts/servers} makes, as the init of a
 * machine starts them: with their sandboxes and cgroups.
 */
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(programs = "debootstrap")
class DebianServersTest extends ServersTest {
    private static final Path DEBIAN = Path.of("../target/servers/root").toAbsolutePath();
    private static final int LEAST = 45;

    private Set<String> ofTheStack = Set.of();

    DebianServersTest() {
        super(PlainContainer.Setting.MACHINE, Set.of());
    }

    @Override
    PlainContainer boot(PlainContainer.Setting setting, Path folder) throws IOException {
        assumeTrue(Files.isDirectory(DEBIAN), "needs scripts/servers");
        return PlainContainer.ofLayers(
                setting,
                folder,
                List.of(DEBIAN.normalize()),
                PlainContainer.HOLDFAST,
                "up",
                "holdfast.target");
    }

    @BeforeAll
    void prepareAll() throws Exception {
        ofTheStack = active();
        String zone = PlainContainer.resource("example.zone");
        String _ = container().run("cat >/etc/example.zone <<'END'\n" + zone + "END");
    }

    private Set<String> active() throws Exception {
        String list =
                "systemctl list-units --plain --no-legend --type=service,socket,path --state=active"
                        + " | cut -d ' ' -f 1";
        return container()
                .run(list)
                .lines()
                .filter(unit -> !unit.startsWith("systemd-journald."))
                .collect(Collectors.toSet());
    }

    @Override
    String others() throws Exception {
        Set<String> others = active();
        others.removeAll(ofTheStack);
        return String.join(" ", others);
    }

    @Override
    List<Server> servers() throws IOException {
        List<Server> servers = new ArrayList<>(Server.of("servers.txt", Set.of()));
        servers.addAll(Server.of("packages.txt", Set.of()));
        return servers;
    }

    @Override
    Optional<String> installed(Server server) throws IOException {
        return server.installed(DEBIAN);
    }

    @Test
    void atLeast45ServersAreThere() throws Exception {
        List<Server> installed = new ArrayList<>();
        for (Server server : servers()) {
            if (installed(server).isPresent()) {
                installed.add(server);
            }
        }
        assertThat(installed).hasSizeGreaterThanOrEqualTo(LEAST);
    }
}
