import Foundation
import SSFImages
import SSFTensors
import SSFTraining

/// The files that say how a model does on a set of images: `results.json`, `confusion.csv`, `predictions.csv`.
struct RunResults {
    let metrics: ClassificationMetrics
    let predictions: [Prediction]
    let classes: [String]

    init(predictions: [Prediction], classes: [String]) {
        self.predictions = predictions
        self.classes = classes
        metrics = ClassificationMetrics(predictions, classCount: classes.count)
    }

    /// Accuracies in percent.
    struct Summary: Codable {
        struct Class: Codable {
            var index: Int
            var label: String
            var images: Int
            /// nil where the class has no image.
            var recall: Double?
            /// nil where no image was taken for the class.
            var precision: Double?
        }
        var split: String
        var images: Int
        var skippedImages: Int
        var loss: Double
        var top1: Double
        var top5: Double
        var macroRecall: Double
        var perClass: [Class]

        enum CodingKeys: String, CodingKey {
            case split, images, loss, top1, top5
            case skippedImages = "skipped_images"
            case macroRecall = "macro_recall"
            case perClass = "per_class"
        }
    }

    func summary(split: String, skippedImages: Int) -> Summary {
        Summary(
            split: split, images: metrics.count, skippedImages: skippedImages, loss: metrics.loss,
            top1: 100 * metrics.top1, top5: 100 * metrics.top5, macroRecall: 100 * metrics.macroRecall,
            perClass: classes.indices.map { index in
                Summary.Class(
                    index: index, label: classes[index], images: metrics.confusion.support(index),
                    recall: metrics.confusion.recall(index).map { 100 * $0 },
                    precision: metrics.confusion.precision(index).map { 100 * $0 })
            })
    }

    /// Rows are true classes, columns predicted ones.
    var confusionCSV: String {
        var lines = [CSV.row(["true\\predicted"] + classes)]
        for truth in classes.indices {
            lines.append(CSV.row([classes[truth]] + classes.indices.map { String(metrics.confusion[truth, $0]) }))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One row for each image, in the order of the set.
    ///
    /// - Parameter adapter: whose results these are, where a file holds those of several.
    func predictionsCSV(of dataset: ImageDataset, adapter: String? = nil) -> String {
        var lines = [(adapter == nil ? "" : "adapter,") + "file,label,prediction,probability,correct"]
        for prediction in predictions {
            lines.append(
                CSV.row(
                    [adapter].compactMap { $0 } + [
                        dataset.items[prediction.index].name, classes[prediction.label], classes[prediction.predicted],
                        String(format: "%.6f", prediction.probability),
                        prediction.label == prediction.predicted ? "1" : "0",
                    ]))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For people: the classes with the lowest recall, when there are any to speak of.
    var lines: [String] {
        var table = TextTable(["class", "images", "recall", "precision"])
        let worst = classes.indices.filter { metrics.confusion.support($0) > 0 }
            .sorted { (metrics.confusion.recall($0)!, $0) < (metrics.confusion.recall($1)!, $1) }.prefix(5)
        for index in worst {
            table.add([
                classes[index], String(metrics.confusion.support(index)),
                Formatting.percent(metrics.confusion.recall(index)!),
                metrics.confusion.precision(index).map { Formatting.percent($0) } ?? "-",
            ])
        }
        return table.lines()
    }
}
