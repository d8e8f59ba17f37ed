package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests automount points of the kernel that are never attached. */
@Timeout(60)
@Needs(root = true, programs = "unshare", files = SysAutofs.DEVICE)
class SysAutofsTest {
    /** The first process of a machine is in such a process group, too. */
    @Test
    void aPointCanBeMadeByAProcessWhoseGroupHasNoNumber() {
        List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork"));
        command.addAll(ChildJvm.command(List.of(), Maker.class));
        assertThat(ChildJvm.run(command).output()).contains("made");
    }

    /** Makes a point. */
    static final class Maker {
        private Maker() {}

        static void main() {
            Fd[] ends = Unistd.pipe2(Fcntl.O_CLOEXEC);
            try (Fd reader = ends[0];
                    Fd writer = ends[1];
                    Fd mount = SysAutofs.fileSystem(writer, "holdfast-test", Map.of())) {
                System.out.println("made " + reader + mount);
            }
        }
    }
}
