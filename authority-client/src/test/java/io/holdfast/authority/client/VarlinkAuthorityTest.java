package io.holdfast.authority.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority.Option;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The number of checks that may be under way to a slow authority. */
@Timeout(120)
class VarlinkAuthorityTest {
    private static final Decision YES =
            new Decision(true, false, Map.of(), Optional.empty(), Optional.empty());

    @TempDir Path folder;
    private final BlockingQueue<CompletableFuture<Decision>> dialogs = new LinkedBlockingQueue<>();

    private CompletableFuture<Decision> answer(StandIn.Check check) {
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        if (check.interactive()) {
            dialogs.add(answer);
        } else {
            answer.complete(YES);
        }
        return answer;
    }

    private static boolean isAllowed(Authority authority, PidFd process) {
        return authority.check(process, 4711, "a.yes", Map.of()).join().isAuthorized();
    }

    @Test
    void moreQuestionsThanTheLimitWaitForEachOther() throws Exception {
        Path socket = folder.resolve("socket");
        int most = VarlinkAuthority.MAX_CONNECTIONS;
        try (VarlinkServer server = StandIn.onVarlink(socket, this::answer);
                PidFd self = PidFd.self();
                Authority authority = Authority.overVarlink(socket.toString());
                Authority other = Authority.overVarlink(socket.toString())) {
            List<CompletableFuture<Decision>> answers = new ArrayList<>();
            for (int i = 0; i <= most; i++) {
                answers.add(authority.check(self, 4711, "a.ask", Map.of(), Option.INTERACTIVE));
            }
            List<CompletableFuture<Decision>> open = new ArrayList<>();
            for (int i = 0; i < most; i++) {
                open.add(dialogs.take());
            }
            assertThat(isAllowed(other, self)).as("another client's").isTrue();
            assertThat(server.connectionCount()).isEqualTo(most + 1);
            assertThat(dialogs).isEmpty();
            assertThat(answers).noneMatch(CompletableFuture::isDone);

            open.getFirst().complete(YES);
            open.add(dialogs.take());
            assertThat(server.connectionCount()).isEqualTo(most + 1);
            open.forEach(dialog -> dialog.complete(YES));
            assertThat(answers)
                    .allSatisfy(answer -> assertThat(answer.join().isAuthorized()).isTrue());
            Await.until(() -> server.connectionCount() == VarlinkAuthority.MAX_IDLE + 1);
            for (int i = 0; i < 2 * VarlinkAuthority.MAX_IDLE; i++) {
                assertThat(isAllowed(authority, self)).as("there is room again").isTrue();
            }
            assertThat(server.connectionCount())
                    .as("those that were kept are used")
                    .isEqualTo(VarlinkAuthority.MAX_IDLE + 1);
        }
    }
}
