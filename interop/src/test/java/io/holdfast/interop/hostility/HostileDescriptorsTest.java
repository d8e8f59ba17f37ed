package io.holdfast.interop.hostility;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SilentFileSystem;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A plain user sends files whose close(2) never returns, and other odd descriptors, to every face
 * of every daemon at once.
 */
@Timeout(400)
@Needs(
        root = true,
        cgroup2 = true,
        files = SilentFileSystem.DEVICE,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl", "python3"})
class HostileDescriptorsTest {
    private static final int ROUNDS = Boolean.getBoolean("holdfast.long") ? 5 : 1;

    private final List<Attack> attacks = new ArrayList<>();
    private HostileFiles files;
    private StackUnderAttack stack;

    @BeforeEach
    void attackEveryFace() throws Exception {
        stack = StackUnderAttack.start();
        files = new HostileFiles();
        for (EntryPoint face : Faces.ALL) {
            if (!face.isForRoot()) {
                attacks.add(
                        Attack.sending(
                                files.all(), face, face.methods(stack), stack.attacker(face)));
            }
        }
    }

    @AfterEach
    void end() throws Exception {
        files.release();
        attacks.forEach(Attack::close);
        files.close();
        stack.close();
    }

    @Test
    void callersAreAnsweredRootsStartsSucceedAndTheStackEndsWhenItIsAskedTo() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            stack.restartNotifying();
            for (EntryPoint face : Faces.SHARED) {
                stack.requireAnswer(face);
            }
        }
        assertThat(attacks).allSatisfy(attack -> assertThat(attack.calls()).isPositive());
        for (Daemon daemon : Daemon.values()) {
            assertThat(stack.isAlive(daemon)).as(daemon.toString()).isTrue();
        }
        assertThat(stack.end()).isEqualTo(new Exit.Exited(0));
    }
}
