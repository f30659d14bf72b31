//! The tables of an export, by schema generation: which exist, which columns, in which order.
//!
//! Column facts were read off real exports of each generation; the ones that no real file showed are
//! marked *assumed*. A column is written `name T`, T being I(nteger), T(ext) or R(eal), `!` for NOT
//! NULL and `P` for the primary key.

/// A schema generation of the exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// About 2020: no version table, session start, processes, enums or analysis details.
    Export2020,
    /// About 2021: the same, with five columns in TARGET_INFO_GPU (which five is assumed).
    Export2021,
    /// About 2021: GPUs in TARGET_INFO_CUDA_GPU.
    Export2021CudaGpu,
    /// 2022.2: every known table exists, most of them empty.
    V2_9_1,
    /// 2022.4: only tables with data; EXPORT_META_DATA.
    V3_0_0,
    /// 2023.3: META_DATA_EXPORT.
    V3_4_0,
    /// 2024.5: greenContextId after contextId.
    V3_13_2,
    /// 2024.6: NVTX_EVENTS.binaryData.
    V3_16_1,
    /// 2025.5: graphId, copyCount, eventSyncId, overheadType.
    V3_24_0,
    /// 2026.2: systemClockNs, tensorSizeMinusOneElements.
    V3_25_0,
}

use Generation::*;

impl Generation {
    /// Every generation, oldest first.
    pub const ALL: [Self; 10] = [
        Export2020,
        Export2021,
        Export2021CudaGpu,
        V2_9_1,
        V3_0_0,
        V3_4_0,
        V3_13_2,
        V3_16_1,
        V3_24_0,
        V3_25_0,
    ];

    /// (schema version, product version) as the metadata table records them.
    pub fn version(self) -> Option<(&'static str, &'static str)> {
        match self {
            Export2020 | Export2021 | Export2021CudaGpu => None,
            V2_9_1 => Some(("2.9.1", "2022.2.1.31")),
            V3_0_0 => Some(("3.0.0", "2022.4.2.1")),
            V3_4_0 => Some(("3.4.0", "2023.3.1.92")),
            V3_13_2 => Some(("3.13.2", "2024.5.1.113")),
            V3_16_1 => Some(("3.16.1", "2024.6.2.225")),
            V3_24_0 => Some(("3.24.0", "2025.5.2.266")),
            V3_25_0 => Some(("3.25.0", "2026.2.1.210")),
        }
    }

    /// The name/value table that holds the version.
    pub fn metadata_table(self) -> Option<&'static str> {
        match self {
            Export2020 | Export2021 | Export2021CudaGpu => None,
            V2_9_1 | V3_0_0 => Some("EXPORT_META_DATA"),
            _ => Some("META_DATA_EXPORT"),
        }
    }

    /// The table that lists GPUs.
    pub fn gpu_table(self) -> &'static str {
        if self == Export2021CudaGpu { "TARGET_INFO_CUDA_GPU" } else { "TARGET_INFO_GPU" }
    }

    /// Whether tables without rows are left out.
    pub fn lazy(self) -> bool {
        self != V2_9_1
    }

    /// Every table of this generation that the builder knows.
    pub fn tables(self) -> Vec<&'static str> {
        TABLES.iter().copied().filter(|t| self.columns(t).is_some()).collect()
    }

    /// The columns of a table in order, or None where the generation has no such table.
    pub fn columns(self, table: &str) -> Option<Vec<Column>> {
        self.layout(table).map(|text| text.split(',').map(Column::parse).collect())
    }

    /// The CREATE TABLE statement.
    pub fn ddl(self, table: &str) -> Option<String> {
        let columns: Vec<String> = self.columns(table)?.iter().map(Column::ddl).collect();
        Some(format!("CREATE TABLE {table} ({})", columns.join(", ")))
    }

    fn layout(self, table: &str) -> Option<String> {
        let versioned = self >= V2_9_1;
        let green = if self >= V3_13_2 { ",greenContextId I" } else { "" };
        let gpu_row = format!(
            "start I!,end I!,deviceId I!,contextId I!{green},streamId I!,correlationId I,globalPid I"
        );
        let text = match table {
            "StringIds" => "id IP,value T!".into(),
            "EXPORT_META_DATA" | "META_DATA_EXPORT" if self.metadata_table() == Some(table) => {
                "name T!,value T".into()
            }
            "ANALYSIS_DETAILS" if versioned => {
                "globalVid I!,duration I!,startTime I!,stopTime I!".into()
            }
            "TARGET_INFO_SESSION_START_TIME" if versioned => {
                let clock = if self >= V3_25_0 { ",systemClockNs I" } else { "" };
                format!("utcEpochNs I,utcTime T,localTime T{clock}")
            }
            "TARGET_INFO_GPU" | "TARGET_INFO_CUDA_GPU" if self.gpu_table() == table => {
                if self == Export2021 { GPU_SHORT.into() } else { GPU_FULL.into() }
            }
            "ThreadNames" => "nameId I!,priority I,globalTid I".into(),
            "PROCESSES" if versioned => "globalPid I,pid I,name T".into(),
            "CUPTI_ACTIVITY_KIND_RUNTIME" => "start I!,end I!,eventClass I!,globalTid I,\
                correlationId I,nameId I!,returnValue I!,callchainId I"
                .into(),
            "CUPTI_ACTIVITY_KIND_KERNEL" => self.kernel(&gpu_row),
            "CUPTI_ACTIVITY_KIND_MEMCPY" => self.memcpy(&gpu_row),
            "CUPTI_ACTIVITY_KIND_MEMSET" => {
                format!("{gpu_row},value I!,bytes I!,graphNodeId I,memKind I")
            }
            // No real file at hand has one; the columns are those of the vendor's own recipes.
            "CUPTI_ACTIVITY_KIND_GRAPH_TRACE" if self >= V3_0_0 => {
                format!("{gpu_row},graphId I!,graphExecId I!")
            }
            "CUPTI_ACTIVITY_KIND_SYNCHRONIZATION" => {
                let new = self >= V3_24_0;
                let (before, after) =
                    if new { (",deprecatedSyncType I", ",eventSyncId I") } else { ("", "") };
                format!("{gpu_row}{before},syncType I!,eventId I!{after}")
            }
            // 2022.2 has it, too, always empty.
            "CUPTI_ACTIVITY_KIND_CUDA_EVENT" if self == V3_25_0 => {
                "timestamp I,deviceId I!,contextId I!,\
                greenContextId I,streamId I!,correlationId I,globalPid I,eventId I!,eventSyncId I"
                    .into()
            }
            "NVTX_EVENTS" => {
                let binary = if self >= V3_16_1 { ",binaryData T" } else { "" };
                format!("{NVTX}{binary}")
            }
            "DIAGNOSTIC_EVENT" if self >= V3_13_2 => "timestamp I!,timestampType I!,source I!,\
                severity I!,text T!,globalPid I"
                .into(),
            "PROFILER_OVERHEAD" if self >= Export2021 => match self {
                Export2021 | Export2021CudaGpu => {
                    "start I!,end I!,globalTid I,correlationId I,nameId I!,returnValue I!".into()
                }
                V3_24_0 | V3_25_0 => "start I!,end I!,globalTid I,nameId I!,overheadType I!".into(),
                _ => "start I!,end I!,globalTid I,nameId I!,returnValue I!".into(),
            },
            "CUPTI_ACTIVITY_KIND_OVERHEAD" if self >= V3_24_0 => "start I!,end I!,eventClass I!,\
                globalTid I,correlationId I,nameId I,overheadType I!"
                .into(),
            "ENUM_NSYS_EVENT_CLASS" | "ENUM_CUDA_MEMCPY_OPER" if self >= V3_0_0 => {
                "id IP,name T,label T".into()
            }
            _ => return None,
        };
        Some(text)
    }

    fn kernel(self, gpu_row: &str) -> String {
        let mangled = if self >= V2_9_1 { ",mangledName I" } else { "" };
        let mut text = format!(
            "{gpu_row},demangledName I!,shortName I!{mangled},launchType I,cacheConfig I,\
             registersPerThread I!,gridX I!,gridY I!,gridZ I!,blockX I!,blockY I!,blockZ I!,\
             staticSharedMemory I!,dynamicSharedMemory I!,localMemoryPerThread I!,\
             localMemoryTotal I!,gridId I!,sharedMemoryExecuted I,graphNodeId I,\
             sharedMemoryLimitConfig I"
        );
        if self >= V3_24_0 {
            text += ",qmdBulkReleaseDone I,qmdPreexitDone I,qmdLastCtaDone I,graphId I,clusterX I,\
                     clusterY I,clusterZ I,clusterSchedulingPolicy I,maxPotentialClusterSize I,\
                     maxActiveClusters I";
        }
        if self >= V3_25_0 {
            text += ",sharedMemoryRequestedPercentage I,tensorSizeMinusOneElements T!";
        }
        text
    }

    fn memcpy(self, gpu_row: &str) -> String {
        let virtual_address = if self >= V2_9_1 { ",virtualAddress I" } else { "" };
        let copy_count = if self >= V3_24_0 { ",copyCount I" } else { "" };
        format!(
            "{gpu_row},bytes I!,copyKind I!,deprecatedSrcId I,srcKind I,dstKind I,srcDeviceId I,\
             srcContextId I,dstDeviceId I,dstContextId I,migrationCause I,graphNodeId I\
             {virtual_address}{copy_count}"
        )
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub sql_type: &'static str,
    pub not_null: bool,
    pub primary: bool,
}

impl Column {
    fn parse(text: &str) -> Self {
        let (name, kind) = text.trim().rsplit_once(' ').expect("name and type");
        let sql_type = match kind.as_bytes()[0] {
            b'I' => "INTEGER",
            b'T' => "TEXT",
            _ => "REAL",
        };
        let (not_null, primary) = (kind.ends_with('!'), kind.ends_with('P'));
        Self { name: name.to_owned(), sql_type, not_null, primary }
    }

    fn ddl(&self) -> String {
        let tail = match (self.primary, self.not_null) {
            (true, _) => " NOT NULL PRIMARY KEY",
            (_, true) => " NOT NULL",
            _ => "",
        };
        format!("{} {}{tail}", self.name, self.sql_type)
    }
}

/// Tables in the order in which the exporter writes them, near enough.
const TABLES: [&str; 22] = [
    "StringIds",
    "TARGET_INFO_SESSION_START_TIME",
    "ANALYSIS_DETAILS",
    "PROCESSES",
    "ENUM_NSYS_EVENT_CLASS",
    "ENUM_CUDA_MEMCPY_OPER",
    "DIAGNOSTIC_EVENT",
    "PROFILER_OVERHEAD",
    "CUPTI_ACTIVITY_KIND_OVERHEAD",
    "CUPTI_ACTIVITY_KIND_RUNTIME",
    "CUPTI_ACTIVITY_KIND_KERNEL",
    "CUPTI_ACTIVITY_KIND_MEMCPY",
    "CUPTI_ACTIVITY_KIND_MEMSET",
    "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
    "CUPTI_ACTIVITY_KIND_SYNCHRONIZATION",
    "CUPTI_ACTIVITY_KIND_CUDA_EVENT",
    "NVTX_EVENTS",
    "ThreadNames",
    "TARGET_INFO_GPU",
    "TARGET_INFO_CUDA_GPU",
    "EXPORT_META_DATA",
    "META_DATA_EXPORT",
];

const NVTX: &str = "start I!,end I,eventType I!,rangeId I,category I,color I,text T,globalTid I,\
    endGlobalTid I,textId I,domainId I,uint64Value I,int64Value I,doubleValue R,uint32Value I,\
    int32Value I,floatValue R,jsonTextId I,jsonText T";

const GPU_SHORT: &str = "vmId I!,id I!,name T,busLocation T,isDiscrete I";

const GPU_FULL: &str = "vmId I!,id I!,name T,busLocation T,isDiscrete I,l2CacheSize I,\
    totalMemory I,memoryBandwidth I,clockRate I,smCount I,pwGpuId I,uuid T,luid I,chipName T,\
    cuDevice I,ctxswDevPath T,ctrlDevPath T,revision I,nodeMask I,constantMemory I,maxIPC I,\
    maxRegistersPerBlock I,maxShmemPerBlock I,maxShmemPerBlockOptin I,maxShmemPerSm I,\
    maxRegistersPerSm I,threadsPerWarp I,asyncEngines I,maxWarpsPerSm I,maxBlocksPerSm I,\
    maxThreadsPerBlock I,maxBlockDimX I,maxBlockDimY I,maxBlockDimZ I,maxGridDimX I,maxGridDimY I,\
    maxGridDimZ I,computeMajor I,computeMinor I,smMajor I,smMinor I";
