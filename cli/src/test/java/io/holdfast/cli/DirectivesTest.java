package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Tests that every setting that is read from unit files has an effect. */
class DirectivesTest {
    private static final Set<String> SETTINGS =
            Set.of("io.holdfast.manager.unit.section", "io.holdfast.manager.unit.settings");

    /** Settings without an effect so far; the reader reports them as not applied. */
    private static final Set<String> NOT_ACTED_ON =
            Set.of(
                    "UnitSection.documentation", // only shown
                    "UnitSection.sourcePath");

    private static final Set<String> RECORDS_OWN =
            Set.of("<init>", "equals", "hashCode", "toString");

    private static final JavaClasses MANAGER =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("-tests.jar"))
                    .importPackages("io.holdfast.manager");

    @Test
    void whateverIsReadIsActedOn() {
        Set<String> idle = new TreeSet<>();
        for (JavaClass settings : MANAGER) {
            if (!SETTINGS.contains(settings.getPackageName())
                    || !settings.isRecord()
                    || settings.isAssignableTo(Unit.class)
                    || settings.isEquivalentTo(UnitReader.class)
                    || settings.isEquivalentTo(ManagerDefaults.class)) { // become those of units
                continue;
            }
            for (JavaField component : settings.getFields()) {
                if (!component.getModifiers().contains(JavaModifier.STATIC)
                        && !isUsed(settings, component)) {
                    idle.add(settings.getSimpleName() + "." + component.getName());
                }
            }
        }
        assertThat(idle).isEqualTo(new TreeSet<>(NOT_ACTED_ON));
    }

    /**
     * Returns whether code that has an effect reads the component, by its accessor or by another
     * method of the record.
     */
    private static boolean isUsed(JavaClass settings, JavaField component) {
        String name = component.getName();
        return settings.getMethod(name).getAccessesToSelf().stream().anyMatch(DirectivesTest::acts)
                || component.getAccessesToSelf().stream()
                        .map(access -> access.getOrigin().getName())
                        .anyMatch(method ->
                                !method.equals(name)
                                        && !method.startsWith("with")
                                        && !method.equals("implying")
                                        && !RECORDS_OWN.contains(method));
    }

    /**
     * Returns whether the access has an effect. Code that reads the files, or only shows their
     * content, has none.
     */
    private static boolean acts(JavaAccess<?> access) {
        JavaClass user = access.getOriginOwner();
        String room = user.getPackageName();
        boolean reader =
                SETTINGS.contains(room)
                        && (user.getSimpleName().endsWith("Reader")
                                || user.equals(access.getTargetOwner()));
        return !reader && !room.startsWith("io.holdfast.manager.systemd1");
    }
}
