package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.PackageOrder;
import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/** The allowed imports between the packages of holdfast-journal. */
@SameOnEveryKernel
class FloorsTest {
    private static final String ROOT = "io.holdfast.journal";

    private static final JavaClasses JOURNAL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    private static final PackageOrder ORDER = new PackageOrder(ROOT, JOURNAL);

    @Test
    void allOfJournalIsLookedAt() {
        assertThat(JOURNAL.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(ROOT, ROOT + ".compression", ROOT + ".format");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        ORDER.assertUsesOnly("format");
        ORDER.assertUsesOnly("compression", "format");
        ORDER.assertUsesOnly("", "compression", "format");
    }
}
