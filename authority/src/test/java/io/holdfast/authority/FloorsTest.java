package io.holdfast.authority;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.PackageOrder;
import org.junit.jupiter.api.Test;

/** Tests which packages of holdfast-authority may import which others. */
class FloorsTest {
    private static final String ROOT = "io.holdfast.authority";

    private static final JavaClasses AUTHORITY =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    private static final PackageOrder ORDER = new PackageOrder(ROOT, AUTHORITY);

    @Test
    void allOfTheAuthorityIsLookedAt() {
        assertThat(AUTHORITY.stream().map(JavaClass::getPackageName).distinct())
                .filteredOn(name -> !name.startsWith(ROOT + ".client"))
                .containsExactlyInAnyOrder(
                        ROOT,
                        ROOT + ".action",
                        ROOT + ".agent",
                        ROOT + ".pam",
                        ROOT + ".polkit1",
                        ROOT + ".rules",
                        ROOT + ".rules.engine",
                        ROOT + ".rules.evaluation",
                        ROOT + ".rules.sandbox",
                        ROOT + ".subject",
                        ROOT + ".survival",
                        ROOT + ".temporary",
                        ROOT + ".varlink");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        ORDER.assertUsesOnly(
                "",
                "client",
                "action",
                "rules",
                "rules.engine",
                "subject",
                "survival",
                "temporary");
        ORDER.assertUsesOnly("action", "subject");
        ORDER.assertUsesOnly("agent", "", "client", "pam", "polkit1", "subject");
        ORDER.assertUsesOnly("pam");
        ORDER.assertUsesOnly("polkit1", "", "client", "action", "subject", "survival", "temporary");
        ORDER.assertUsesOnly("rules", "action", "subject");
        ORDER.assertUsesOnly("rules.sandbox", "rules", "action");
        ORDER.assertUsesOnly("rules.evaluation", "rules.sandbox", "rules", "action", "subject");
        ORDER.assertUsesOnly(
                "rules.engine", "rules.evaluation", "rules.sandbox", "rules", "action", "subject");
        ORDER.assertUsesOnly("subject");
        ORDER.assertUsesOnly("survival", "subject");
        ORDER.assertUsesOnly("temporary", "subject", "survival");
        ORDER.assertUsesOnly("varlink", "", "client", "action", "rules", "subject", "temporary");
    }

    @Test
    void theEngineEvaluatesRulesAsAWhole() {
        noClasses()
                .that()
                .resideInAPackage(ROOT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + ".rules.sandbox",
                        ROOT + ".rules.evaluation",
                        ROOT + ".agent",
                        ROOT + ".pam")
                .check(AUTHORITY);
    }

    @Test
    void theInterpreterIsKnownToWhatEvaluatesRulesAlone() {
        assertThat(
                        AUTHORITY.stream()
                                .filter(FloorsTest::usesInterpreter)
                                .map(JavaClass::getPackageName)
                                .distinct())
                .containsExactlyInAnyOrder(
                        ROOT + ".rules.engine",
                        ROOT + ".rules.evaluation",
                        ROOT + ".rules.sandbox");
    }

    private static boolean usesInterpreter(JavaClass type) {
        return type.getDirectDependenciesFromSelf().stream()
                .anyMatch(d -> d.getTargetClass().getPackageName().startsWith("org.mozilla."));
    }
}
