package io.holdfast.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which packages of the manager may use which. */
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
        assertUsesOnly("unit");
        assertUsesOnly("unit.value", "unit");
        assertUsesOnly("unit.file", "unit");
        assertUsesOnly("unit.section", "unit.file", "unit.value", "unit");
        assertUsesOnly("job", "unit");
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
