package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the limits of calls under way between an authority and its clients. */
@Timeout(120)
@Needs(root = true)
class AuthorityLimitsTest {
    private static final long USER = 4711;
    private static final int CALLS = 4;

    @TempDir Path folder;

    private static CompletableFuture<Struct> call(
            BusConnection client, PidFd process, String action, int flags) {
        CompletableFuture<Struct> answer = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        answer.complete(
                                (Struct)
                                        client.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                                                .call(
                                                        Authority.BUS_INTERFACE,
                                                        "CheckAuthorization",
                                                        "(sa{sv})sa{ss}us",
                                                        PolkitSubject.held(process, USER),
                                                        action,
                                                        Map.of(),
                                                        flags,
                                                        "")
                                                .getFirst());
                    } catch (Exception e) {
                        answer.completeExceptionally(e);
                    }
                });
        return answer;
    }

    /** See {@code io.holdfast.authority.calls}. */
    @Test
    void aCallMoreThanTheLimitIsRefusedAndThoseBeforeItAreAnswered() throws Exception {
        new PolicyFolders(folder).action("a.yes", "yes").action("a.self", "auth_self");
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        CountDownLatch end = new CountDownLatch(1);
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                BusConnection agent = BusConnection.connect(address.toString());
                BusConnection client = BusConnection.connect(address.toString());
                BusConnection other = BusConnection.connect(address.toString());
                PidFd self = PidFd.self()) {
            Process program =
                    new ProcessBuilder(
                                    ChildJvm.command(
                                            List.of("-Dio.holdfast.authority.calls=" + CALLS),
                                            AuthorityProgram.class,
                                            bus.addresses().getFirst().toString(),
                                            folder.toString()))
                            .redirectError(folder.resolve("log").toFile())
                            .start();
            try (BufferedReader output = program.inputReader()) {
                assertThat(output.readLine())
                        .as(() -> "see " + folder.resolve("log"))
                        .isEqualTo("ready");
                agent.export("/agent", AuthorityBusSetUp.agent(begun, end));
                var _ =
                        agent.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                                .call(
                                        Authority.BUS_INTERFACE,
                                        "RegisterAuthenticationAgent",
                                        "(sa{sv})ss",
                                        PolkitSubject.held(self, USER),
                                        "C",
                                        "/agent");
                List<CompletableFuture<Struct>> answers = new ArrayList<>();
                for (int i = 0; i < CALLS; i++) {
                    answers.add(call(client, self, "a.self", 1));
                    var _ = begun.take();
                }
                for (BusConnection each : List.of(client, other)) {
                    assertThatExceptionOfType(CompletionException.class)
                            .isThrownBy(() -> call(each, self, "a.yes", 0).join())
                            .havingCause()
                            .isInstanceOfSatisfying(
                                    DBusException.class,
                                    e ->
                                            assertThat(e.name())
                                                    .isEqualTo(DBusException.LIMITS_EXCEEDED));
                }
                assertThat(answers).noneMatch(CompletableFuture::isDone);
                end.countDown();
                for (CompletableFuture<Struct> each : answers) {
                    assertThat(each.join().get(0)).as("nobody has authenticated").isEqualTo(false);
                }
                for (BusConnection each : List.of(client, other)) {
                    assertThat(call(each, self, "a.yes", 0).join().get(0)).isEqualTo(true);
                }
            } finally {
                program.getOutputStream().close();
                assertThat(program.waitFor()).isZero();
            }
        }
    }
}
