package io.holdfast.authority.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Fd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.server.VarlinkServer;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.core.JsonParser;

/** A client of an authority needs no module for JavaScript, XML or the flight recorder. */
@Timeout(120)
class ModulesTest {
    @TempDir Path folder;

    private static Path placeOf(Class<?> type) {
        return Path.of(
                URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    @Test
    void theModuleBringsNoOthersThanTheseWithIt() {
        Path[] places =
                Stream.of(
                                Authority.class,
                                BusConnection.class,
                                VarlinkClient.class,
                                Fd.class,
                                JsonParser.class)
                        .map(ModulesTest::placeOf)
                        .toArray(Path[]::new);
        Configuration resolved =
                Configuration.empty()
                        .resolve(
                                ModuleFinder.of(places),
                                ModuleFinder.ofSystem(),
                                Set.of("io.holdfast.authority.client"));
        assertThat(resolved.modules().stream().map(module -> module.name()))
                .containsExactlyInAnyOrder(
                        "io.holdfast.authority.client",
                        "io.holdfast.core",
                        "io.holdfast.dbus",
                        "io.holdfast.varlink",
                        "java.base",
                        "jdk.unsupported",
                        "tools.jackson.core");
    }

    @Test
    void aJvmWithoutFurtherModulesAsksByBothProtocols() throws Exception {
        Decision yes = new Decision(true, false, Map.of(), Optional.empty(), Optional.empty());
        Path socket = folder.resolve("socket");
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                VarlinkServer overVarlink =
                        StandIn.onVarlink(socket, _ -> CompletableFuture.completedFuture(yes));
                BusConnection overBus =
                        StandIn.onBus(address, _ -> CompletableFuture.completedFuture(yes))) {
            assertThat(List.of(bus, overVarlink, overBus)).hasSize(3);
            assertThat(
                            ChildJvm.run(
                                    List.of("--limit-modules=java.base,jdk.unsupported"),
                                    AskingProgram.class,
                                    socket.toString(),
                                    address.toString()))
                    .isEqualTo(new ChildJvm.Result(0, "true\ntrue\n"));
        }
    }
}
