package io.holdfast.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.PackageOrder;
import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/** The allowed imports between the packages of holdfast-receiver. */
@SameOnEveryKernel
class FloorsTest {
    private static final String ROOT = "io.holdfast.receiver";

    private static final JavaClasses RECEIVER =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    private static final PackageOrder ORDER = new PackageOrder(ROOT, RECEIVER);

    @Test
    void allOfTheReceiverIsLookedAt() {
        assertThat(RECEIVER.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(ROOT, ROOT + ".input", ROOT + ".store");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        ORDER.assertUsesOnly("input");
        ORDER.assertUsesOnly("store");
        ORDER.assertUsesOnly("", "input", "store");
    }
}
