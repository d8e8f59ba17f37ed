package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.ManagerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The unit files of the stack, with cgroups and without. */
@Needs(root = true)
class StackUnitsTest {
    @TempDir private Path runtime;

    @Test
    void theAuthorityIsStartedWithTheStackWhereTheBusRecognizesItsCgroup() throws Exception {
        layOut(Optional.of("/some.slice"));
        assertThat(unit("holdfast.target")).contains(" polkit.service ");
        assertThat(unit("polkit.service")).contains("--bus \"unix:path=" + runtime + "/bus\"");
    }

    @Test
    void theAuthorityIsStartedOnDemandWithoutCgroups() throws Exception {
        layOut(Optional.empty());
        assertThat(unit("holdfast.target"))
                .contains(" holdfast-authority.socket ")
                .doesNotContain("polkit.service");
    }

    @Test
    void aDaemonThatIsStoppedWhileItsJvmStartsHasNotFailed() throws Exception {
        layOut(Optional.of("/some.slice"));
        for (String daemon : List.of("dbus.service", "polkit.service")) {
            assertThat(unit(daemon)).contains("\nSuccessExitStatus=143\n");
        }
    }

    /** A change of a folder of unit files makes the manager read the names in all of them. */
    @Test
    void whatIsWrittenAtEachStartIsInNoFolderOfUnitFiles() {
        ManagerOptions options = ManagerOptions.system(Map.of()).withRuntimeDirectory(runtime);
        List<Path> folders = withLauncher(() -> Stack.of(options).applied(options).units());
        assertThat(folders).isNotEmpty().doesNotContain(options.journalSettings());
    }

    private void layOut(Optional<String> slice) {
        ManagerOptions options = ManagerOptions.system(Map.of()).withRuntimeDirectory(runtime);
        boolean _ =
                withLauncher(() -> {
                    Stack.of(options).layOut(slice);
                    return true;
                });
    }

    private static <T> T withLauncher(Supplier<T> task) {
        String before = System.getProperty(Stack.LAUNCHER_PROPERTY);
        System.setProperty(Stack.LAUNCHER_PROPERTY, "/usr/bin/holdfast");
        try {
            return task.get();
        } finally {
            if (before == null) {
                System.clearProperty(Stack.LAUNCHER_PROPERTY);
            } else {
                System.setProperty(Stack.LAUNCHER_PROPERTY, before);
            }
        }
    }

    private String unit(String name) throws Exception {
        return Files.readString(runtime.resolve("stack").resolve(name));
    }
}
