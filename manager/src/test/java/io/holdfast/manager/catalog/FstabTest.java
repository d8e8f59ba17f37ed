package io.holdfast.manager.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.AutomountUnit;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.section.SwapUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The units that systemd's generator makes of an fstab(5), as our manager reads them. */
@Timeout(60)
@Needs(files = FstabTest.GENERATOR)
class FstabTest {
    static final String GENERATOR = "/usr/lib/systemd/system-generators/systemd-fstab-generator";

    @TempDir private Path folder;
    private UnitCatalog catalog;

    @BeforeEach
    void generate() throws Exception {
        Path fstab =
                Files.writeString(
                        folder.resolve("fstab"),
                        """
                        UUID=12-34 /srv/data ext4 rw,x-systemd.device-timeout=5,x-systemd.automount,\
                        x-systemd.idle-timeout=1min,x-systemd.requires=a.service,\
                        x-systemd.before=b.service,x-systemd.after=/srv 0 0
                        LABEL=some\\040words /srv/opt ext4 noauto,nofail,x-systemd.mount-timeout=7s 0 0
                        server:/export /net nfs _netdev 0 0
                        /dev/sdx1 /srv/x ext4 x-systemd.makefs,x-systemd.growfs,x-systemd.device-bound 0 0
                        /dev/sdx2 none swap pri=5,discard 0 0
                        /swapfile none swap nofail 0 0
                        """);
        for (String output : List.of("normal", "early", "late")) {
            Files.createDirectory(folder.resolve(output));
        }
        ProcessBuilder generator =
                new ProcessBuilder(
                        GENERATOR,
                        folder.resolve("normal").toString(),
                        folder.resolve("early").toString(),
                        folder.resolve("late").toString());
        generator.environment().put("SYSTEMD_FSTAB", fstab.toString());
        generator.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile());
        assertThat(generator.start().waitFor()).isZero();
        for (String target : List.of("local-fs", "remote-fs", "swap")) {
            Files.writeString(folder.resolve("normal").resolve(target + ".target"), "[Unit]\n");
        }
        catalog =
                new UnitCatalog(
                        new LoadPath(List.of(folder.resolve("normal"))),
                        List.of(),
                        new UnitReader(Host.UNKNOWN, ManagerScope.system(Map.of())));
    }

    private Unit read(String name) {
        Unit unit = catalog.read(UnitName.of(name));
        assertThat(unit.diagnostics()).as(name).isEmpty();
        return unit;
    }

    private static UnitName[] names(String... names) {
        return List.of(names).stream().map(UnitName::of).toArray(UnitName[]::new);
    }

    @Test
    void anAutomountHasItsTimeoutAndItsMountTheOtherOptions() {
        AutomountUnit automount = (AutomountUnit) read("srv-data.automount");
        assertThat(automount.automount().idleTimeout()).isEqualTo(TimeSpan.seconds(60));
        MountUnit mount = (MountUnit) read("srv-data.mount");
        Dependencies dependencies = mount.unit().dependencies();
        String device = "dev-disk-by\\x2duuid-12\\x2d34.device";
        assertThat(dependencies.of(Dependency.REQUIRES)).contains(names("a.service", device));
        assertThat(dependencies.of(Dependency.AFTER))
                .contains(names("a.service", device, "srv.mount"));
        assertThat(dependencies.of(Dependency.BEFORE)).contains(names("b.service"));
        assertThat(dependencies.of(Dependency.STOP_PROPAGATED_FROM)).contains(names(device));
        assertThat(read(device).unit().jobs().runningTimeout()).isEqualTo(TimeSpan.seconds(5));
        assertThat(members("local-fs.target", Dependency.REQUIRES))
                .contains(names("srv-data.automount"))
                .doesNotContain(names("srv-data.mount"));
    }

    private List<UnitName> members(String target, Dependency kind) {
        return List.copyOf(read(target).unit().dependencies().of(kind));
    }

    @Test
    void aMountThatIsNotMadeAutomaticallyHasItsTimeLimit() {
        MountUnit mount = (MountUnit) read("srv-opt.mount");
        assertThat(mount.timeout()).isEqualTo(TimeSpan.seconds(7));
        assertThat(mount.mount().what()).isEqualTo("/dev/disk/by-label/some\\x20words");
        assertThat(mount.mount().options().forMount()).doesNotContain("noauto", "nofail");
        assertThat(members("local-fs.target", Dependency.REQUIRES))
                .doesNotContain(names("srv-opt.mount"));
    }

    @Test
    void aMountOfTheNetworkBelongsToItsTarget() {
        MountUnit mount = (MountUnit) read("net.mount");
        assertThat(mount.mount().isOfTheNetwork()).isTrue();
        assertThat(mount.unit().dependencies().of(Dependency.BEFORE))
                .contains(names("remote-fs.target"));
        assertThat(members("remote-fs.target", Dependency.REQUIRES)).contains(names("net.mount"));
    }

    @Test
    void aMountThatIsBoundToItsDeviceIsMadeAndGrown() {
        MountUnit mount = (MountUnit) read("srv-x.mount");
        Dependencies dependencies = mount.unit().dependencies();
        assertThat(dependencies.of(Dependency.BINDS_TO)).contains(names("dev-sdx1.device"));
        assertThat(dependencies.of(Dependency.REQUIRES))
                .contains(names("systemd-makefs@dev-sdx1.service"));
        assertThat(dependencies.of(Dependency.WANTS))
                .contains(names("systemd-growfs@srv-x.service"));
    }

    @Test
    void swapsAreOnADeviceOrInAFile() {
        SwapUnit device = (SwapUnit) read("dev-sdx2.swap");
        assertThat(device.swap().options().value("pri")).contains("5");
        assertThat(device.unit().dependencies().of(Dependency.REQUIRES))
                .contains(names("dev-sdx2.device"));
        SwapUnit file = (SwapUnit) read("swapfile.swap");
        assertThat(file.neededPaths(ManagerScope.system(Map.of()))).contains("/swapfile");
        assertThat(members("swap.target", Dependency.REQUIRES)).contains(names("dev-sdx2.swap"));
        assertThat(members("swap.target", Dependency.WANTS)).contains(names("swapfile.swap"));
    }
}
