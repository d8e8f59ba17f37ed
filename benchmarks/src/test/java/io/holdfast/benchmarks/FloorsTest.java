package io.holdfast.benchmarks;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rows use the frame, and no row uses another package; only the program uses all of them. */
@Timeout(60)
class FloorsTest {
    private static final String ROOT = "io.holdfast.benchmarks";
    private static final String FRAME = ROOT + ".frame";
    private static final List<String> ROWS =
            List.of(
                    ROOT + ".bus",
                    ROOT + ".journal",
                    ROOT + ".library",
                    ROOT + ".operations",
                    ROOT + ".stack");

    private static final JavaClasses BENCHMARKS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    @Test
    void everyPackageHasItsPlace() {
        List<String> known = new ArrayList<>(ROWS);
        known.addAll(List.of(ROOT, FRAME));

        assertThat(
                        BENCHMARKS.stream()
                                .map(JavaClass::getPackageName)
                                .filter(name -> !name.endsWith(".jmh_generated"))
                                .distinct())
                .containsExactlyInAnyOrderElementsOf(known);
    }

    @Test
    void theFrameKnowsNothingOfWhatIsMeasured() {
        usesNothingBut(FRAME);
    }

    @Test
    void rowsUseTheFrameAndNoneOfAnotherPackage() {
        ROWS.forEach(rows -> usesNothingBut(rows, FRAME));
    }

    /**
     * Asserts that the first package uses no other package of these benchmarks than the named ones.
     */
    private static void usesNothingBut(String... packages) {
        noClasses()
                .that()
                .resideInAPackage(packages[0])
                .should()
                .dependOnClassesThat(
                        resideInAPackage(ROOT + "..").and(resideOutsideOfPackages(packages)))
                .check(BENCHMARKS);
    }
}
