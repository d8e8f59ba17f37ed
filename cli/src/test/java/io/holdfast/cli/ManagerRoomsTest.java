package io.holdfast.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.manager.unit.UnitType;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests the dependencies between the packages of the manager. */
class ManagerRoomsTest {
    private static final String MANAGER = "io.holdfast.manager";

    private static final JavaClasses ROOMS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("-tests.jar"))
                    .importPackages(MANAGER);

    private static void assertUsesOnly(String room, String... below) {
        String[] allowed =
                Stream.concat(Stream.of(room), Stream.of(below))
                        .map(name -> MANAGER + "." + name)
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(MANAGER + "." + room)
                .should()
                .dependOnClassesThat(
                        resideInAPackage(MANAGER + "..").and(not(resideInAnyPackage(allowed))))
                .check(ROOMS);
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        String[] files = {
            "unit",
            "unit.value",
            "unit.calendar",
            "unit.host",
            "unit.file",
            "unit.condition",
            "unit.directive",
            "unit.resource",
            "unit.settings",
            "unit.section"
        };
        assertUsesOnly("unit");
        assertUsesOnly("unit.value", "unit");
        assertUsesOnly("unit.calendar", "unit.value", "unit");
        assertUsesOnly("unit.host", "unit.value", "unit");
        assertUsesOnly("unit.file", "unit");
        assertUsesOnly("unit.condition", "unit.file", "unit.host", "unit.value", "unit");
        String[] parsing = {"unit.condition", "unit.file", "unit.host", "unit.value", "unit"};
        assertUsesOnly("unit.directive", parsing);
        assertUsesOnly("unit.resource", and(parsing, "unit.directive"));
        String[] values = and(parsing, "unit.directive", "unit.resource");
        assertUsesOnly("unit.settings", values);
        assertUsesOnly("unit.section", and(values, "unit.settings", "unit.calendar"));
        assertUsesOnly("unit.install", and(values, "unit.settings", "unit.section"));
        assertUsesOnly("unit.fstab", "unit.section", "unit.host", "unit.value", "unit");
        assertUsesOnly("catalog", and(files, "unit.install", "loop"));
        assertUsesOnly("survival", "loop", "unit", "unit.value");
        assertUsesOnly("job", "unit");
        assertUsesOnly("loop", "unit.value");
        assertUsesOnly("log", "loop", "unit");
        assertUsesOnly("resource", "unit", "unit.file", "unit.resource", "unit.value");
        String[] settings = and(values, "unit.settings");
        assertUsesOnly("process", and(settings, "resource", "loop", "log"));
        assertUsesOnly("credential", and(settings, "loop"));
        assertUsesOnly("seccomp", and(settings, "loop"));
        assertUsesOnly(
                "exec",
                and(settings, "loop", "log", "process", "resource", "credential", "seccomp"));
        String[] generated = {"loop", "unit.file", "unit.fstab", "unit.host", "unit.value", "unit"};
        assertUsesOnly("generator", generated);
        assertUsesOnly("notify", "process", "loop", "log", "survival", "unit", "unit.section");
        assertUsesOnly("view", and(files, "loop", "process", "job", "survival"));
        String[] runtime =
                and(
                        files,
                        "unit.install",
                        "catalog",
                        "loop",
                        "log",
                        "process",
                        "exec",
                        "notify",
                        "job",
                        "survival",
                        "view",
                        "resource");
        assertUsesOnly("runtime", runtime);
        String[] kind = and(runtime, "runtime");
        assertUsesOnly("run", kind);
        assertUsesOnly("service", and(kind, "run"));
        assertUsesOnly("socket", and(kind, "run"));
        assertUsesOnly("target", kind);
        assertUsesOnly("slice", kind);
        assertUsesOnly("scope", and(kind, "run"));
        assertUsesOnly("timer", kind);
        assertUsesOnly("path", kind);
        assertUsesOnly("mount", and(kind, "run"));
        assertUsesOnly("device", kind);
        assertUsesOnly("request", kind);
        assertUsesOnly("reaction", and(kind, "request"));
        assertUsesOnly(
                "verify",
                and(files, "job", "loop", "resource", "exec", "catalog", "runtime", "view"));
    }

    @Test
    void theFacesSeeNoKindOfUnitFromWithin() {
        noClasses()
                .that()
                .resideInAnyPackage(rooms("access", "varlink", "systemd1.."))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        rooms(
                                "service", "socket", "target", "slice", "scope", "timer", "path",
                                "mount", "device", "run", "exec", "notify"))
                .check(ROOMS);
        noClasses()
                .that()
                .resideInAnyPackage(MANAGER, MANAGER + ".access")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(rooms("varlink", "systemd1.."))
                .check(ROOMS);
    }

    /**
     * What a type can do is asked of its unit or of the facts of {@link UnitType}. The registries
     * name the types, and the policy of units that are already there is about two of them.
     */
    @Test
    void nothingButItsOwnRoomAsksForATypeOfUnit() {
        String[] types = {
            "service", "socket", "target", "slice", "scope", "timer", "path", "mount", "device"
        };
        DescribedPredicate<JavaClass> others =
                resideInAPackage(MANAGER + "..")
                        .and(not(resideInAnyPackage(rooms("unit..", "systemd1.property"))))
                        .and(not(resideInAnyPackage(rooms(types))))
                        .and(not(type(MANAGER + ".Wiring")))
                        .and(not(type(MANAGER + ".catalog.AlreadyThere")))
                        .and(not(resideInAPackage(MANAGER + ".verify"))); // of each type, and
        // services
        noClasses()
                .that(others)
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(rooms(types))
                                .or(simpleUnit("Service"))
                                .or(simpleUnit("Socket"))
                                .or(simpleUnit("Target"))
                                .or(simpleUnit("Slice"))
                                .or(simpleUnit("Scope"))
                                .or(simpleUnit("Timer"))
                                .or(simpleUnit("Path")))
                .orShould()
                .accessFieldWhere(JavaAccess.Predicates.targetOwner(type(UnitType.class.getName())))
                .check(ROOMS);
    }

    private static DescribedPredicate<JavaClass> type(String name) {
        return HasName.Predicates.name(name).forSubtype();
    }

    private static DescribedPredicate<JavaClass> simpleUnit(String type) {
        return type(MANAGER + ".unit.section." + type + "Unit");
    }

    private static String[] and(String[] rooms, String... others) {
        return Stream.concat(Stream.of(rooms), Stream.of(others)).toArray(String[]::new);
    }

    private static String[] rooms(String... names) {
        return Stream.of(names).map(name -> MANAGER + "." + name).toArray(String[]::new);
    }

    @Test
    void theJobEngineKnowsNoProcessesFilesOrThreads() {
        noClasses()
                .that()
                .resideInAPackage(MANAGER + ".job")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.holdfast.core..", "java.io", "java.nio..", "java.util.concurrent..")
                .check(ROOMS);
    }
}
