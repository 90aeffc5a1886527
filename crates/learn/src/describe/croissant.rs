//! Croissant metadata (MLCommons, version 1.0): a description in JSON-LD by which tools for machine learning load a data set.
//! <https://docs.mlcommons.org/croissant/docs/croissant-spec.html>

use super::card::Card;
use crate::{
    export::Summary,
    table::{Cleaning, ColumnKind},
};
use serde_json::{Value, json};

/// The metadata of a data set.
pub fn croissant(card: &Card) -> Value {
    let summary = &card.summary;
    let mut document = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": card.name,
        "description": card.about,
        "version": "1.0.0",
        "isLiveDataset": false,
        "distribution": files(summary),
        "recordSet": record_sets(summary),
    });
    if let Some(licence) = &card.licence {
        document["license"] = json!(licence);
    }
    document
}

fn files(summary: &Summary) -> Vec<Value> {
    let file = |table: &crate::export::TableSummary| {
        json!({
            "@type": "cr:FileObject",
            "@id": table.file,
            "name": table.file,
            "contentUrl": table.file,
            "contentSize": format!("{} B", table.digest.bytes),
            "encodingFormat": summary.format.media_type(),
            "sha256": table.digest.sha256,
        })
    };
    summary.tables.iter().map(file).collect()
}

fn record_sets(summary: &Summary) -> Vec<Value> {
    let cleaning = if summary.clean { Cleaning::Clean } else { Cleaning::AsRecorded };
    let set = |table: &crate::export::TableSummary| {
        let name = table.name.as_str();
        let field = |column: crate::table::Column| {
            json!({
                "@type": "cr:Field",
                "@id": format!("{name}/{}", column.name),
                "name": column.name,
                "description": column.about,
                "dataType": match column.kind {
                    ColumnKind::Bool => "sc:Boolean",
                    ColumnKind::Int => "sc:Integer",
                    ColumnKind::Float => "sc:Float",
                    ColumnKind::Time => "sc:DateTime",
                    ColumnKind::Word => "sc:Text",
                },
                "source": {"fileObject": {"@id": table.file}, "extract": {"column": column.name}},
            })
        };
        let fields: Vec<Value> = table.name.columns(cleaning).into_iter().map(field).collect();
        json!({
            "@type": "cr:RecordSet",
            "@id": name,
            "name": name,
            "description": table.name.about(),
            "field": fields,
        })
    };
    summary.tables.iter().map(set).collect()
}

/// The context that version 1.0 prescribes.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform"
    })
}
