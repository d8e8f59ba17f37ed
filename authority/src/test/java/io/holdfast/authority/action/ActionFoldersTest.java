package io.holdfast.authority.action;

import static io.holdfast.authority.action.ActionPoolTest.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ActionFoldersTest {
    private final List<ActionPool> published = new CopyOnWriteArrayList<>();

    @TempDir private Path top;
    private Path first;
    private Path second;
    private ActionFolders folders;

    @BeforeEach
    void begin() throws IOException {
        first = top.resolve("later/first");
        second = Files.createDirectory(top.resolve("second"));
        write(second.resolve("a.policy"), "org.a", "yes");
        folders = new ActionFolders(List.of(first, second), published::add);
    }

    @AfterEach
    void end() {
        folders.close();
    }

    private void becomes(ImplicitAuthorization answer) {
        Await.until(
                () -> folders.pool().action("org.a").filter(a -> a.any() == answer).isPresent());
    }

    @Test
    void whatIsThereIsReadAtOnce() {
        assertThat(folders.pool().actions()).hasSize(1);
        assertThat(published).isEmpty();
    }

    @Test
    void changesAreFollowed() throws IOException {
        write(second.resolve("a.policy"), "org.a", "auth_self");
        becomes(ImplicitAuthorization.AUTH_SELF);
        write(top.resolve("new"), "org.a", "auth_admin");
        Files.move(top.resolve("new"), second.resolve("a.policy"), StandardCopyOption.ATOMIC_MOVE);
        becomes(ImplicitAuthorization.AUTH_ADMIN);
        Files.createDirectories(first);
        write(first.resolve("a.policy"), "org.a", "no");
        becomes(ImplicitAuthorization.NO);
        Files.delete(first.resolve("a.policy"));
        becomes(ImplicitAuthorization.AUTH_ADMIN);
        Files.delete(second.resolve("a.policy"));
        Await.until(() -> folders.pool().actions().isEmpty());
        Await.until(() -> published.getLast().equals(folders.pool()));
    }

    @Test
    void whatSaysNothingNewIsNotTold() throws IOException {
        write(second.resolve("a.policy"), "org.a", "yes");
        folders.reload();
        assertThat(published).isEmpty();
    }

    @Test
    void anActionWhoseFileBreaksIsNotRegistered() throws IOException {
        Files.writeString(second.resolve("a.policy"), "<policyconfig><action id='org.a'>");
        Await.until(() -> folders.pool().action("org.a").isEmpty());
        assertThat(folders.pool().problems()).hasSize(1);
    }

    @Test
    void aFileThatIsReplacedIsNeverMissing() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger missing = new AtomicInteger();
        Thread asking =
                Thread.ofPlatform()
                        .start(() -> {
                            while (!done.get()) {
                                if (folders.pool().action("org.a").isEmpty()) {
                                    missing.incrementAndGet();
                                }
                            }
                        });
        for (int i = 0; i < 200; i++) {
            write(top.resolve("new"), "org.a", i % 2 == 0 ? "no" : "auth_self");
            Files.move(
                    top.resolve("new"), second.resolve("a.policy"), StandardCopyOption.ATOMIC_MOVE);
            folders.reload();
        }
        done.set(true);
        asking.join();
        becomes(ImplicitAuthorization.AUTH_SELF);
        assertThat(missing).hasValue(0);
    }

    @Test
    void theLastStateOfAFileWinsHoweverItIsWritten() throws IOException {
        for (int i = 0; i < 30; i++) {
            String last = i % 2 == 0 ? "auth_admin_keep" : "auth_self_keep";
            for (String answer : List.of("yes", "broken", "no", last)) {
                write(second.resolve("a.policy"), "org.a", answer);
            }
            becomes(ImplicitAuthorization.ofWord(last).orElseThrow());
        }
    }
}
