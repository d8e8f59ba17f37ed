package io.holdfast.bus;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which package of holdfast-bus may import which; the broker, in the root package, uses all. */
class FloorsTest {
    private static final String ROOT = "io.holdfast.bus";

    private static final JavaClasses BUS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    @Test
    void allOfTheBusIsLookedAt() {
        assertThat(BUS.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        ROOT,
                        ROOT + ".account",
                        ROOT + ".config",
                        ROOT + ".match",
                        ROOT + ".policy",
                        ROOT + ".relay");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        assertUsesOnly("config");
        assertUsesOnly("policy", "config");
        assertUsesOnly("match", "policy");
        assertUsesOnly("account", "policy", "config");
        assertUsesOnly("relay", "account");
    }

    private static void assertUsesOnly(String room, String... below) {
        String[] allowed =
                Stream.concat(Stream.of(room), Stream.of(below))
                        .map(name -> ROOT + "." + name)
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "." + room)
                .should()
                .dependOnClassesThat(
                        resideInAPackage(ROOT + "..").and(not(resideInAnyPackage(allowed))))
                .check(BUS);
    }
}
