package io.holdfast.manager.unit.host;

import io.holdfast.manager.unit.SmallFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** A security module of the kernel that labels processes. */
public enum SecurityModule {
    SELINUX("SELinuxContext"),
    APPARMOR("AppArmorProfile"),
    SMACK("SmackProcessLabel");

    private static final Path SYS = Path.of("/sys");

    private final String directive;

    SecurityModule(String directive) {
        this.directive = directive;
    }

    /** Returns the directive that sets the label of a unit's processes. */
    public String directive() {
        return directive;
    }

    /** Returns those that this machine uses, as far as that is readable. */
    static Set<SecurityModule> used() {
        return used(SYS);
    }

    /**
     * @param sys the folder of sysfs
     */
    static Set<SecurityModule> used(Path sys) {
        Set<SecurityModule> used = EnumSet.noneOf(SecurityModule.class);
        if (Files.exists(sys.resolve("fs/selinux/enforce"))) {
            used.add(SELINUX);
        }
        if (SmallFile.read(sys.resolve("module/apparmor/parameters/enabled")).equals("Y")) {
            used.add(APPARMOR);
        }
        if (Files.exists(sys.resolve("fs/smackfs"))) {
            used.add(SMACK);
        }
        return Collections.unmodifiableSet(used);
    }
}
